#pragma once
// What a task does, told line by line from its events. Pure: events and times in, text out.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/look.h"

namespace perdure::cli {

class Progress {
 public:
  // On a terminal a call has one line, when it has ended; until then it stands in the live part.
  // Elsewhere it has a line when it begins, too.
  explicit Progress(Look look) : look_(look) {}

  // The terminal is another now: it may have been made narrower.
  void fit(Look look) { look_ = look; }

  // The lines of one event; most events have none.
  std::vector<std::string> tell(const json::object& event);
  // A piece of a model's answer that is not recorded yet.
  void hear(const json::object& delta);
  // What was heard of answers is void: the server that was heard is gone.
  void forget_heard();

  // What is under way and not told yet, and the sums. At most a few lines.
  std::vector<std::string> live(int64_t now_ms) const;

  bool has_ended() const { return !status_.empty(); }
  // The status that a task ended with.
  const std::string& status() const { return status_; }
  // How many questions to people are open.
  size_t questions() const { return questions_; }

 private:
  struct Call {
    std::string name;
    std::string args;
    bool is_model = false;
    bool is_under_way = false;
    int64_t began_ms = 0;
    uint64_t attempt = 0;
    std::string failure;  // of the last attempt
    std::string heard;
  };
  struct Timer {
    int64_t due_ms = 0;
    std::string why;  // may be empty
  };

  void tell_task(const std::string& type, const json::object& data, std::vector<std::string>& out);
  void tell_call(const std::string& type, const json::object& data, std::vector<std::string>& out);
  void tell_people(const std::string& type, const json::object& data,
                   std::vector<std::string>& out);
  void tell_timer(const std::string& type, const json::object& data, std::vector<std::string>& out);
  void begin(const json::object& data, std::vector<std::string>& out);
  void settle(const std::string& outcome, const json::object& data, std::vector<std::string>& out);
  void add_line(std::vector<std::string>& out, std::string_view who, Ink ink,
                const std::string& text) const;
  std::string sums() const;

  Look look_;
  std::map<std::string, Call> calls_;  // by step; those that are open
  std::map<std::string, Timer> timers_;
  int64_t created_ms_ = 0;
  int64_t at_ms_ = 0;  // of the event that is told
  uint64_t turns_ = 0;
  bool turn_goes_on_ = false;  // with another model: the one before failed
  uint64_t tool_calls_ = 0;
  uint64_t tokens_ = 0;
  double cost_usd_ = 0;
  uint64_t unpriced_calls_ = 0;
  size_t questions_ = 0;
  std::string status_;
};

}  // namespace perdure::cli
