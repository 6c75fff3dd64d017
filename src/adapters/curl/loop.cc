#include "adapters/curl/loop.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace perdure {
namespace {

constexpr size_t kSpareHandlesMax = 256;
constexpr int kLongestWaitMs = 60'000;

bool init_libcurl() {
  static const bool ok = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ok;
}

}  // namespace

// libcurl tells which sockets and which time it waits for.
struct MultiHooks {
  static int on_socket(CURL*, curl_socket_t fd, int what, void* context, void* known) {
    auto& loop = *static_cast<CurlLoop*>(context);
    if (what == CURL_POLL_REMOVE) {
      epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, fd, nullptr);
      return 0;
    }
    epoll_event event{};
    event.data.fd = fd;
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    // A descriptor that was closed and opened anew is gone from epoll, whatever libcurl remembers.
    const int action = known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(loop.epoll_, action, fd, &event) != 0) {
      const int other = known == nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
      epoll_ctl(loop.epoll_, other, fd, &event);
    }
    curl_multi_assign(loop.multi_, fd, context);
    return 0;
  }

  static int on_timer(CURLM*, long timeout_ms, void* context) {
    auto& loop = *static_cast<CurlLoop*>(context);
    loop.curl_timer_us_ = timeout_ms < 0 ? -1 : monotonic_us() + timeout_ms * 1000;
    return 0;
  }
};

CurlLoop::CurlLoop(Clock& clock, CurlOptions options)
    : clock_(clock), options_(std::move(options)), open_(options_.max_open) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  PERDURE_ASSERT(epoll_ >= 0 && wake_ >= 0, "there are descriptors to start");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  thread_ = std::thread([this] { run(); });
}

CurlLoop::~CurlLoop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
  for (void* easy : spare_handles_) curl_easy_cleanup(easy);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  close(wake_);
  close(epoll_);
}

HttpClient::CallId CurlLoop::send(HttpRequest request, HttpCallbacks callbacks) {
  auto call = std::make_unique<CurlCall>(std::move(request), std::move(callbacks), monotonic_us());
  bool first = false;
  CallId id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    first = commands_.empty();
    commands_.push_back({id, std::move(call)});
  }
  if (first) wake();
  return id;
}

void CurlLoop::cancel(CallId call) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back({call, nullptr});
  }
  wake();
}

void CurlLoop::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

void CurlLoop::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  while (take_commands()) {
    start_waiting();
    wait_for_events();
    // What is complete is not late: ends are collected before deadlines are looked at.
    collect_ended();
    end_late_calls();
  }
  stop_all();
}

bool CurlLoop::take_commands() {
  std::vector<Command> commands;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
    stopping = stopping_;
  }
  for (Command& command : commands) {
    if (command.call) {
      admit(command.id, std::move(command.call));
    } else {
      stop(command.id, CurlCall::Stop::kCancelled);
    }
  }
  return !stopping;
}

void CurlLoop::admit(CallId id, std::unique_ptr<CurlCall> call) {
  if (const Status checked = call->check(); !checked) {
    call->refuse(checked.error().message);
    return;
  }
  CurlCall& admitted = *calls_.emplace(id, std::move(call)).first->second;
  arm(id, admitted);
  waiting_.add(admitted.tenant(), id);
}

void CurlLoop::start_waiting() {
  const auto may = [this](const std::string& tenant) { return open_.has_room(tenant); };
  while (const auto id = waiting_.take_if(may)) {
    if (const auto found = calls_.find(*id); found != calls_.end()) start(*id, *found->second);
  }
}

void CurlLoop::open_libcurl() {
  PERDURE_ASSERT(init_libcurl(), "libcurl starts");
  multi_ = curl_multi_init();
  PERDURE_ASSERT(multi_ != nullptr, "there is memory for libcurl");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &MultiHooks::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &MultiHooks::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

void* CurlLoop::take_handle() {
  if (multi_ == nullptr) open_libcurl();
  if (spare_handles_.empty()) return curl_easy_init();
  void* easy = spare_handles_.back();
  spare_handles_.pop_back();
  return easy;
}

void CurlLoop::start(CallId id, CurlCall& call) {
  void* easy = take_handle();
  PERDURE_ASSERT(easy != nullptr, "there is memory for a request");
  Status ready = call.prepare(easy, egress, clock_, options_.user_agent);
  if (ready && !options_.ca_file.empty() &&
      curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str()) != CURLE_OK) {
    ready = fail(Code::kUnsupported, "libcurl does not take the file of certificates");
  }
  if (ready && curl_multi_add_handle(multi_, easy) == CURLM_OK) {
    ids_.emplace(easy, id);
    open_.add(call.tenant());
    return;
  }
  curl_easy_cleanup(easy);
  const auto owned = std::move(calls_.at(id));
  deadlines_.erase({owned->armed_us, id});
  calls_.erase(id);
  owned->refuse(ready ? "libcurl does not take the request" : ready.error().message);
}

void CurlLoop::arm(CallId id, CurlCall& call) {
  deadlines_.erase({call.armed_us, id});
  call.armed_us = call.look_again_us(monotonic_us());
  deadlines_.emplace(call.armed_us, id);
}

int CurlLoop::wait_ms() const {
  int64_t until_us = monotonic_us() + kLongestWaitMs * 1000LL;
  if (!deadlines_.empty()) until_us = std::min(until_us, deadlines_.begin()->first);
  if (curl_timer_us_ >= 0) until_us = std::min(until_us, curl_timer_us_);
  return static_cast<int>(
      std::clamp<int64_t>((until_us - monotonic_us() + 999) / 1000, 0, kLongestWaitMs));
}

void CurlLoop::wait_for_events() {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<size_t>(i)].data.fd;
    const uint32_t what = events[static_cast<size_t>(i)].events;
    if (fd == wake_) {
      uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t got = read(wake_, &ignored, sizeof ignored);
      continue;
    }
    int mask = 0;
    if (what & EPOLLIN) mask |= CURL_CSELECT_IN;
    if (what & EPOLLOUT) mask |= CURL_CSELECT_OUT;
    if (what & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(multi_, fd, mask, &running);
  }
  if (curl_timer_us_ >= 0 && curl_timer_us_ <= monotonic_us()) {
    curl_timer_us_ = -1;
    int running = 0;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

void CurlLoop::end_late_calls() {
  const int64_t now_us = monotonic_us();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_us) {
    const CallId id = deadlines_.begin()->second;
    CurlCall& call = *calls_.at(id);
    const CurlCall::Stop why = call.reason_to_stop(now_us);
    if (why == CurlCall::Stop::kNone) {
      arm(id, call);
    } else {
      stop(id, why);
    }
  }
}

void CurlLoop::collect_ended() {
  if (multi_ == nullptr) return;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    end(ids_.at(message->easy_handle), code);
  }
}

void CurlLoop::stop(CallId id, CurlCall::Stop why) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  found->second->stop(why);
  end(id, CURLE_ABORTED_BY_CALLBACK);
}

void CurlLoop::end(CallId id, int curl_code) {
  const auto call = std::move(calls_.at(id));
  calls_.erase(id);
  deadlines_.erase({call->armed_us, id});
  if (void* easy = call->easy()) {
    ids_.erase(easy);
    open_.give_back(call->tenant());
    curl_multi_remove_handle(multi_, easy);
    curl_easy_reset(easy);
    if (spare_handles_.size() < kSpareHandlesMax) {
      spare_handles_.push_back(easy);
    } else {
      curl_easy_cleanup(easy);
    }
  }
  call->end_with(curl_code);
}

void CurlLoop::stop_all() {
  while (!calls_.empty()) stop(calls_.begin()->first, CurlCall::Stop::kClosing);
  // What a callback still sent: it is refused, so that every on_done is called.
  while (true) {
    std::vector<Command> commands;
    {
      const std::lock_guard lock(mutex_);
      commands.swap(commands_);
    }
    if (commands.empty()) return;
    for (Command& command : commands) {
      if (command.call) command.call->refuse("the server is stopping");
    }
  }
}

}  // namespace perdure
