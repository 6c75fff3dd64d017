#include "cli/progress.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/rfc3339.h"
#include "cli/moments.h"
#include "cli/question.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr size_t kArgsColumns = 72;
constexpr size_t kResultColumns = 100;
constexpr size_t kHeardBytesMax = 8192;
constexpr size_t kHeardLines = 3;
constexpr size_t kCallLines = 4;
constexpr size_t kWhoColumns = 7;

double number_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

uint64_t count_at(const json::object& object, std::string_view name) {
  return static_cast<uint64_t>(std::max(0.0, number_at(object, name)));
}

constexpr std::string_view kRetryTimer = "!retry/";  // and the step that waits

// What came of a call, in a few words and a colour. The words are those of the event's type.
struct Outcome {
  std::string_view type, words;
  Ink ink;
};
constexpr Outcome kOutcomes[] = {
    {"answered", "", Ink::kGreen},
    {"succeeded", "ok", Ink::kGreen},
    {"failed", "failed", Ink::kRed},
    {"superseded", "answer lost, asked again", Ink::kYellow},
    {"not_sent", "not sent, tried again", Ink::kYellow},
    {"deferred", "deferred by the receiver, tried again", Ink::kYellow},
    {"in_doubt", "no answer: it is not known whether it happened", Ink::kRed},
    {"denied", "denied", Ink::kRed},
    {"unknown", "given up in doubt", Ink::kRed},
};

std::string_view after_dot(const std::string& type) {
  return std::string_view(type).substr(type.find('.') + 1);
}

// What a model said, or what a tool returned.
std::string result_text(const json::object& data, bool is_model) {
  const json::value* result = data.if_contains("result");
  if (result == nullptr) return text_at(data, data.contains("reason") ? "reason" : "detail");
  const json::object* answer = result->if_object();
  if (!is_model || answer == nullptr) return text_at(data, "result");
  return text_at(*answer, "text");
}

}  // namespace

void Progress::add_line(std::vector<std::string>& out, std::string_view who, Ink ink,
                        const std::string& text) const {
  const std::string when = fmt::format("{:>5}", elapsed_text(at_ms_ - created_ms_));
  std::string body = visible(text.substr(0, text.find_last_not_of(' ') + 1));
  if (look_.columns > 0) {
    const size_t used = std::max(when.size(), size_t{5}) + kWhoColumns + 4;
    body = clipped(body, std::max(look_.columns, used + 10) - used - 1);
  }
  out.push_back(look_.paint(Ink::kDim, when) + "  " +
                look_.paint(ink, fmt::format("{:<{}}", who, kWhoColumns)) + "  " + body);
}

std::vector<std::string> Progress::tell(const json::object& event) {
  std::vector<std::string> out;
  const std::string type = text_at(event, "type");
  at_ms_ = parse_rfc3339(text_at(event, "at")).value_or(at_ms_);
  if (created_ms_ == 0) created_ms_ = at_ms_;
  const json::object* found = object_in(event, "data");
  const json::object& data = found != nullptr ? *found : event;
  if (type.starts_with("task.")) tell_task(type, data, out);
  if (type.starts_with("model.") || type.starts_with("tool.")) tell_call(type, data, out);
  if (type.starts_with("interrupt.")) tell_people(type, data, out);
  if (type.starts_with("timer.")) tell_timer(type, data, out);
  if (type == "turn.rejected") add_line(out, "planner", Ink::kRed, text_at(data, "reason"));
  if (type == "anomaly.noted") add_line(out, "anomaly", Ink::kYellow, text_at(data, "what"));
  return out;
}

void Progress::tell_task(const std::string& type, const json::object& data,
                         std::vector<std::string>& out) {
  const std::string_view what = after_dot(type);
  if (what == "created") add_line(out, "agent", Ink::kBold, text_at(data, "agent"));
  if (what == "noted") add_line(out, "note", Ink::kPlain, text_at(data, "note"));
  if (what == "cancelling") {
    add_line(out, "cancel", Ink::kYellow,
             "asked for by " + text_at(data, "by") + "  " + text_at(data, "reason"));
  }
  if (what != "completed" && what != "failed" && what != "cancelled") return;
  status_ = what;
  calls_.clear();
  std::string text = status_ + "  " + sums();
  if (what != "completed") {
    text += fmt::format("  {}: {}", text_at(data, "stop_reason"), text_at(data, "message"));
  }
  add_line(out, "end", what == "completed" ? Ink::kGreen : Ink::kRed, text);
}

void Progress::begin(const json::object& data, std::vector<std::string>& out) {
  Call& call = calls_[text_at(data, "step")];
  call.is_under_way = true;
  call.began_ms = at_ms_;
  call.attempt = count_at(data, "attempt");
  call.heard.clear();
  if (call.is_model && call.attempt <= 1 && !turn_goes_on_) ++turns_;
  if (!call.is_model && call.attempt <= 1) ++tool_calls_;
  if (look_.is_terminal) return;
  const std::string again = call.attempt > 1 ? fmt::format("  attempt {}", call.attempt) : "";
  if (call.is_model) {
    add_line(out, "model", Ink::kPlain, fmt::format("turn {}: {}{}", turns_, call.name, again));
  } else {
    add_line(out, "tool", Ink::kPlain, call.name + " " + call.args + again);
  }
}

void Progress::settle(const std::string& outcome, const json::object& data,
                      std::vector<std::string>& out) {
  Call& call = calls_[text_at(data, "step")];
  const auto* known = std::find_if(std::begin(kOutcomes), std::end(kOutcomes),
                                   [&](const Outcome& one) { return one.type == outcome; });
  if (known == std::end(kOutcomes)) return;
  call.failure = text_at(data, "failure");
  std::string text = call.is_model ? fmt::format("turn {}", turns_) : call.name + " " + call.args;
  if (!known->words.empty()) text += fmt::format("  {}", known->words);
  if (call.began_ms > 0) text += "  " + seconds_text(at_ms_ - call.began_ms);
  if (const json::object* used = object_in(data, "used")) {
    const uint64_t in = count_at(*used, "input_tokens");
    const uint64_t written = count_at(*used, "output_tokens");
    const double cost = number_at(*used, "cost_usd");
    tokens_ += in + written;
    cost_usd_ += cost;
    unpriced_calls_ += count_at(*used, "unpriced_calls");
    if (in + written > 0) {
      text += fmt::format("  {} in, {} out", grouped(in), grouped(written));
    }
    if (cost > 0) text += "  " + money_text(cost);
  }
  const std::string said = result_text(data, call.is_model);
  if (!said.empty()) text += "  " + clipped(visible(said), kResultColumns);
  add_line(out, call.is_model ? "model" : "tool", known->ink, text);
  call.is_under_way = false;
  call.heard.clear();
  if (call.is_model) turn_goes_on_ = outcome == "failed";
  const bool goes_on = outcome == "superseded" || outcome == "not_sent" || outcome == "deferred" ||
                       outcome == "in_doubt";
  if (!goes_on) calls_.erase(text_at(data, "step"));
}

void Progress::tell_call(const std::string& type, const json::object& data,
                         std::vector<std::string>& out) {
  const std::string_view what = after_dot(type);
  if (what == "delta") return;
  Call& call = calls_[text_at(data, "step")];
  call.is_model = type.starts_with("model.");
  if (call.name.empty()) call.name = text_at(data, call.is_model ? "model" : "tool");
  if (const std::string args = text_at(data, "args"); !args.empty() && !call.is_model) {
    call.args = clipped(visible(args), kArgsColumns);
  }
  if (what == "planned") return;
  if (what == "requested" || what == "intended") return begin(data, out);
  settle(std::string(what), data, out);
}

void Progress::tell_people(const std::string& type, const json::object& data,
                           std::vector<std::string>& out) {
  if (data.contains("open_interrupts")) questions_ = count_at(data, "open_interrupts");
  const std::string_view what = after_dot(type);
  const std::string handle = handle_of(text_at(data, "interrupt"));
  if (what == "requested") {
    const auto call = calls_.find(text_at(data, "step"));
    std::string text = fmt::format("{} {}: {}", handle, reason_text(text_at(data, "reason")),
                                   text_at(data, "message"));
    if (call != calls_.end() && !call->second.args.empty()) text += "  " + call->second.args;
    return add_line(out, "asks", Ink::kYellow, text);
  }
  std::string text = handle + " " + text_at(data, "decision");
  if (what != "resolved") text = fmt::format("{} {}", handle, what);
  if (const std::string by = text_at(data, "by"); !by.empty()) text += " by " + by;
  add_line(out, "person", Ink::kPlain, text + "  " + text_at(data, "message"));
}

void Progress::tell_timer(const std::string& type, const json::object& data,
                          std::vector<std::string>& out) {
  const std::string id = text_at(data, "timer");
  if (type != "timer.set") {
    timers_.erase(id);
    return;
  }
  if (text_at(data, "purpose") == "ask") return;  // the question is told, and its end
  Timer& timer = timers_[id];
  timer.due_ms = parse_rfc3339(text_at(data, "due")).value_or(0);
  if (id.starts_with(kRetryTimer)) {
    const auto call = calls_.find(id.substr(kRetryTimer.size()));
    if (call != calls_.end()) timer.why = call->second.failure;
  }
  if (look_.is_terminal) return;
  add_line(out, "waits", Ink::kYellow, due_text(timer.why, timer.due_ms, at_ms_));
}

void Progress::hear(const json::object& delta) {
  const auto call = calls_.find(text_at(delta, "step"));
  if (call == calls_.end() || !call->second.is_under_way) return;
  std::string& heard = call->second.heard;
  heard += text_at(delta, "text");
  if (heard.size() > 2 * kHeardBytesMax) heard.erase(0, heard.size() - kHeardBytesMax);
}

void Progress::forget_heard() {
  for (auto& [step, call] : calls_) call.heard.clear();
}

std::string Progress::sums() const {
  std::string out = fmt::format("{} {}, {} tool {}", turns_, turns_ == 1 ? "turn" : "turns",
                                tool_calls_, tool_calls_ == 1 ? "call" : "calls");
  if (tokens_ > 0) out += fmt::format(", {} tokens", grouped(tokens_));
  if (cost_usd_ > 0) out += ", " + money_text(cost_usd_);
  if (unpriced_calls_ > 0) {
    out += fmt::format(", {} {} of unknown price", unpriced_calls_,
                       unpriced_calls_ == 1 ? "call" : "calls");
  }
  return out;
}

std::vector<std::string> Progress::live(int64_t now_ms) const {
  std::vector<std::string> out;
  if (has_ended() || created_ms_ == 0) return out;
  const size_t width = look_.columns > 20 ? look_.columns - 1 : 79;
  size_t shown = 0;
  for (const auto& [step, call] : calls_) {
    if (!call.is_under_way || shown++ >= kCallLines) continue;
    for (const std::string& line : last_lines(call.heard, width - 4, kHeardLines)) {
      out.push_back("    " + look_.paint(Ink::kDim, line));
    }
    const std::string text =
        fmt::format("    {} {}  {}", call.is_model ? "model" : "tool", call.name + " " + call.args,
                    seconds_text(std::max<int64_t>(0, now_ms - call.began_ms)));
    out.push_back(clipped(visible(text), width));
  }
  std::string state = "working";
  if (questions_ > 0) {
    state = questions_ == 1 ? "a person is asked" : fmt::format("{} questions", questions_);
  } else if (shown == 0 && !timers_.empty()) {
    const auto next = std::min_element(timers_.begin(), timers_.end(), [](auto& a, auto& b) {
      return a.second.due_ms < b.second.due_ms;
    });
    state = "waits: " + due_text(next->second.why, next->second.due_ms, now_ms);
  }
  const std::string line =
      clipped(fmt::format("{}  {}  {}", elapsed_text(now_ms - created_ms_), state, sums()), width);
  out.push_back(look_.paint(questions_ > 0 ? Ink::kYellow : Ink::kCyan, line));
  return out;
}

}  // namespace perdure::cli
