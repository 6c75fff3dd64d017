#pragma once
// The thread of CurlClient: epoll, libcurl's multi handle, and the deadlines of the calls. The time
// for one event does not grow with the number of calls that are open, which curl_multi_poll's does.
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/curl/call.h"
#include "adapters/curl/curl_client.h"
#include "adapters/curl/egress.h"
#include "base/shares.h"
#include "base/turns.h"

namespace perdure {

class CurlLoop {
 public:
  using CallId = HttpClient::CallId;

  CurlLoop(Clock& clock, CurlOptions options);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  CallId send(HttpRequest request, HttpCallbacks callbacks);
  void cancel(CallId call);

  Egress egress;

 private:
  friend struct MultiHooks;
  struct Command {
    CallId id = 0;
    std::unique_ptr<CurlCall> call;  // null: cancel
  };

  void run();
  void wake();
  bool take_commands();  // false: stop
  void wait_for_events();
  int wait_ms() const;
  void collect_ended();
  void end_late_calls();

  void admit(CallId id, std::unique_ptr<CurlCall> call);
  void start_waiting();
  void start(CallId id, CurlCall& call);
  void arm(CallId id, CurlCall& call);
  void end(CallId id, int curl_code);
  void stop(CallId id, CurlCall::Stop why);
  void stop_all();
  void* take_handle();
  void open_libcurl();

  Clock& clock_;
  const CurlOptions options_;
  int epoll_ = -1;
  int wake_ = -1;

  std::mutex mutex_;
  std::vector<Command> commands_;
  CallId last_id_ = 0;
  bool stopping_ = false;

  // The thread's own.
  void* multi_ = nullptr;  // from the first call on: with TLS it takes 2 MB
  std::unordered_map<CallId, std::unique_ptr<CurlCall>> calls_;
  std::unordered_map<const void*, CallId> ids_;  // by easy handle
  Turns<CallId> waiting_;                        // for one of max_open places; may hold ended ones
  Shares open_;                                  // of these places
  std::set<std::pair<int64_t, CallId>> deadlines_;
  std::vector<void*> spare_handles_;
  int64_t curl_timer_us_ = -1;  // when libcurl wants to be called; -1: not

  std::thread thread_;
};

}  // namespace perdure
