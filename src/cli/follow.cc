#include "cli/follow.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "cli/dialogue.h"
#include "cli/feed.h"
#include "cli/find.h"
#include "cli/progress.h"
#include "cli/screen.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int64_t kRedrawMs = 250;
constexpr int64_t kReviveMs = 5'000;
constexpr int64_t kLookMs = 1'000;  // between two looks whether the task waits for a person

class Follower {
 public:
  Follower(Context& context, Attention& attention, const std::string& id, const FollowFlags& flags)
      : context_(context),
        id_(id),
        flags_(flags),
        look_(flags.on_output ? context.to.out_look : context.to.err_look),
        attention_(attention),
        progress_(look_),
        screen_(flags.on_output ? context.to.out : context.to.err, look_),
        feed_(context.client, attention_, id) {}

  int run() {
    for (;;) {
      while (auto news = feed_.next(monotonic_ms())) {
        if (const auto status = take(*news)) return end(*status);
        if (attention_.is_interrupted()) break;
      }
      if (progress_.has_ended()) return end(progress_.status() == "completed" ? kDone : kFailed);
      if (attention_.is_interrupted()) return leave();
      if (const auto status = look_for_questions()) return end(*status);
      if (is_away() && monotonic_ms() - lost_ms_ > flags_.patience_ms) return give_up();
      if (is_away() && monotonic_ms() >= revive_due_ms_) {
        if (const auto status = revive()) return end(*status);
      }
      if (const auto status = listen()) return end(*status);
      draw();
      attention_.wait(pause_ms(), dialogue_.has_value());
    }
  }

 private:
  int64_t monotonic_ms() const { return context_.steady_ms(); }
  bool is_away() const { return lost_ms_ != 0; }

  int64_t pause_ms() const {
    int64_t pause = look_.is_terminal ? kRedrawMs : kLookMs;
    if (feed_.due_ms() > 0)
      pause = std::min(pause, std::max<int64_t>(1, feed_.due_ms() - monotonic_ms()));
    return pause;
  }

  void say(const std::string& text) { screen_.print({look_.paint(Ink::kYellow, visible(text))}); }

  void draw() {
    if (!flags_.is_told || flags_.as_json || dialogue_) return;
    progress_.fit(look_of(flags_.on_output ? context_.to.out : context_.to.err));
    screen_.show(is_away() ? std::vector<std::string>{} : progress_.live(context_.now_ms()));
  }

  // The exit status, if that is the end.
  std::optional<int> take(const News& news) {
    switch (news.kind) {
      case News::Kind::kEvent:
        tell(news.event);
        return std::nullopt;
      case News::Kind::kDelta:
        if (const json::object* data = object_in(news.event, "data")) progress_.hear(*data);
        return std::nullopt;
      case News::Kind::kLost:
        return on_lost(news.error);
      case News::Kind::kBack:
        lost_ms_ = 0;
        if (flags_.is_told) say("the server is back");
        return std::nullopt;
      case News::Kind::kRefused:
        screen_.show({});
        return report(with_nearest_task(context_.client, news.error, id_), context_.to);
      case News::Kind::kOver:
        return kDone;
    }
    return std::nullopt;
  }

  void tell(const json::object& event) {
    drop_question(event);
    const std::vector<std::string> lines = progress_.tell(event);
    if (flags_.as_json) {
      fmt::print(context_.to.out, "{}\n", to_json(event));
      std::fflush(context_.to.out);
    } else if (flags_.is_told) {
      screen_.print(lines);
    }
    look_due_ms_ = 0;
  }

  std::optional<int> on_lost(const Error& error) {
    lost_ms_ = monotonic_ms();
    progress_.forget_heard();
    screen_.show({});
    if (flags_.is_told) say("the server went away (" + error.message + "); waiting for it");
    return revive();
  }

  // Also again and again: what was revived may have died before it said anything.
  std::optional<int> revive() {
    if (!flags_.revive) return std::nullopt;
    revive_due_ms_ = monotonic_ms() + kReviveMs;
    const Status revived = flags_.revive();
    if (!revived && revived.error().code == Code::kCancelled) return std::nullopt;  // it is seen to
    if (!revived) return report(revived.error(), context_.to);
    feed_.hurry();
    return std::nullopt;
  }

  // Whether the task stands still until a person answers, is for the server to say.
  std::optional<int> look_for_questions() {
    const bool cares = flags_.until_asked || flags_.asks_here;
    const int64_t now = monotonic_ms();
    const bool is_due = cares && now >= look_due_ms_ && !is_away() && !dialogue_;
    if (!is_due || progress_.questions() == 0) return std::nullopt;
    look_due_ms_ = now + kLookMs;
    const auto task = context_.client.get("/v1/tasks/" + id_, "phase");
    if (!task) return std::nullopt;  // the stream tells, too
    if (flags_.asks_here && put_question(task->object())) return std::nullopt;
    if (text_at(task->object(), "status") == "input_required") return kIsAsking;
    return std::nullopt;
  }

  // The first question that was not put before.
  bool put_question(const json::object& task) {
    const json::array* waits = array_in(task, "waiting_for");
    for (size_t i = 0; waits != nullptr && i < waits->size(); ++i) {
      const json::object* wait = (*waits)[i].if_object();
      if (wait == nullptr || text_at(*wait, "kind") != "interrupt") continue;
      const std::string id = text_at(*wait, "id");
      if (put_.contains(id)) continue;
      const auto question = find_question(context_.client, id);
      if (!question || text_at(*question, "status") != "open") continue;
      put_.insert(id);
      screen_.show({});
      dialogue_.emplace(context_, *question);
      dialogue_->prompt();
      return true;
    }
    return false;
  }

  // What the person at this terminal types.
  std::optional<int> listen() {
    if (!dialogue_) return std::nullopt;
    bool closed = false;
    while (const auto line = attention_.line(closed)) {
      const Dialogue::Came came = dialogue_->take(*line);
      if (came == Dialogue::Came::kMore) {
        dialogue_->prompt();
        continue;
      }
      dialogue_.reset();
      look_due_ms_ = 0;
      return std::nullopt;
    }
    if (!closed) return std::nullopt;
    dialogue_.reset();
    return kIsAsking;
  }

  // Somebody else may decide while it is asked here.
  void drop_question(const json::object& event) {
    const json::object* data = object_in(event, "data");
    if (!dialogue_ || data == nullptr || !text_at(event, "type").starts_with("interrupt.")) return;
    if (text_at(event, "type") == "interrupt.requested") return;
    if (text_at(*data, "interrupt") != text_at(dialogue_->question(), "id")) return;
    dialogue_.reset();
    fmt::print(context_.to.err, "\n");
    say("this was decided elsewhere");
  }

  int end(int status) {
    screen_.show({});
    return status;
  }

  std::string how_to_return() const {
    return fmt::format(
        "the task goes on; 'perdure events {} --follow' returns to it, 'perdure tasks cancel {}' "
        "ends it",
        id_, id_);
  }

  int leave() {
    screen_.show({});
    say(how_to_return());
    return kInterrupted;
  }

  int give_up() {
    say("no server came back; the task is not lost: start the server, then 'perdure events " + id_ +
        " --follow'");
    return kNoServer;
  }

  Context& context_;
  const std::string id_;
  const FollowFlags& flags_;
  const Look look_;
  Attention& attention_;
  Progress progress_;
  Screen screen_;
  Feed feed_;
  std::optional<Dialogue> dialogue_;
  std::set<std::string> put_;  // questions that were asked here
  int64_t lost_ms_ = 0;
  int64_t revive_due_ms_ = 0;
  int64_t look_due_ms_ = 0;
};

// The server may go away just after it told the end.
Result<Answer> look_again(Context& context, Attention& attention, const std::string& id,
                          const FollowFlags& flags) {
  const int64_t began = context.steady_ms();
  for (;;) {
    auto answer = context.client.get("/v1/tasks/" + id, "phase");
    if (answer || answer.error().code != Code::kUnavailable) return answer;
    const bool is_over = context.steady_ms() - began > flags.patience_ms;
    if (is_over || attention.is_interrupted()) return answer;
    if (flags.revive) TRY_STATUS(flags.revive());
    attention.wait(kRedrawMs);
  }
}

}  // namespace

int follow(Context& context, Attention& attention, const std::string& id, const FollowFlags& flags,
           json::object& task) {
  const int status = Follower(context, attention, id, flags).run();
  if (status == kRefused || status == kNoServer || status == kInterrupted) return status;
  const auto answer = look_again(context, attention, id, flags);
  if (!answer) return report(answer.error(), context.to);
  task = answer->object();
  return status_of(task) == kDone ? status : status_of(task);
}

}  // namespace perdure::cli
