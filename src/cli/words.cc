#include "cli/words.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/rfc3339.h"
#include "cli/moments.h"
#include "cli/text.h"

namespace perdure::cli {
namespace {

void put_line(std::string& out, const Look& look, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  out += look.paint(Ink::kDim, fmt::format("{:<10}", name)) + " " + text + "\n";
}

// A payload as the journal shows it.
std::string payload_text(const json::object& record, std::string_view name) {
  const json::object* payload = object_in(record, name);
  if (payload == nullptr) return {};
  for (const char* form : {"json", "text"}) {
    if (payload->contains(form)) return text_at(*payload, form);
  }
  return {};
}

void put_pretty(std::string& out, const json::value& value, const std::string& indent) {
  const std::string deeper = indent + "  ";
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    const char* between = "{\n";
    for (const auto& [key, member] : *object) {
      out += between + deeper + to_json(json::value(key)) + ": ";
      put_pretty(out, member, deeper);
      between = ",\n";
    }
    out += "\n" + indent + "}";
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    const char* between = "[\n";
    for (const json::value& item : *array) {
      out += between + deeper;
      put_pretty(out, item, deeper);
      between = ",\n";
    }
    out += "\n" + indent + "]";
  } else {
    out += to_json(value);
  }
}

std::string moment(const json::object& task, std::string_view name, int64_t now_ms) {
  const std::string at = text_at(task, name);
  return at.empty() ? at : visible(fmt::format("{}  ({})", relative_text(at, now_ms), at));
}

std::string usage_text(const json::object& usage) {
  const auto count = [&](std::string_view name) {
    const json::value* value = usage.if_contains(name);
    return value != nullptr && value->is_int64() && value->get_int64() >= 0
               ? grouped(static_cast<uint64_t>(value->get_int64()))
               : std::string("0");
  };
  return fmt::format("{} model calls, {} tool calls, {} tokens in, {} out", count("model_calls"),
                     count("tool_calls"), count("input_tokens"), count("output_tokens"));
}

// A call whose outcome nobody knows.
std::string open_effect_text(const json::object& effect) {
  std::string name;
  for (const char* member : {"tool", "model"}) {
    if (effect.contains(member)) name = text_at(effect, member);
  }
  if (name.empty()) name = "step " + text_at(effect, "step") + ", whose plan cannot be read";
  return visible(fmt::format("may have happened: {}, sent {}, key {}: look there", name,
                             text_at(effect, "sent_at"), text_at(effect, "key")));
}

}  // namespace

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : to_json(*value);
}

std::string grouped(uint64_t number) {
  std::string out = std::to_string(number);
  for (size_t i = out.size(); i > 3;) out.insert(i -= 3, ",");
  return out;
}

std::string money_text(double usd) {
  return fmt::format("${:.{}f}", usd, usd >= 10 ? 2 : 4);
}

std::string seconds_text(int64_t ms) {
  return ms < 10'000 ? fmt::format("{:.1f} s", static_cast<double>(ms) / 1000) : span_text(ms);
}

std::string pretty_json(const json::value& value) {
  std::string out;
  put_pretty(out, value, "");
  return out;
}

std::vector<std::string> last_lines(std::string_view text, size_t columns, size_t count) {
  std::vector<std::string> out;
  const std::string shown = visible_lines(text);
  std::string_view rest = shown;
  std::string line;
  const auto end_line = [&] {
    out.push_back(std::move(line));
    line.clear();
  };
  while (!rest.empty()) {
    const size_t size = rest.find('\n');
    std::string_view one = rest.substr(0, size);
    rest.remove_prefix(size == std::string_view::npos ? rest.size() : size + 1);
    while (!one.empty()) {
      // Words are kept whole where they fit.
      const size_t word = std::min(one.find(' '), one.size() - 1) + 1;
      std::string piece = visible(one.substr(0, word));
      one.remove_prefix(word);
      if (!line.empty() && columns_of(line) + columns_of(piece) > columns) end_line();
      line += columns_of(piece) > columns ? clipped(piece, columns) : piece;
    }
    if (!line.empty()) end_line();
  }
  if (out.size() > count) out.erase(out.begin(), out.end() - static_cast<ptrdiff_t>(count));
  return out;
}

std::string due_text(std::string_view reason, int64_t due_ms, int64_t now_ms) {
  std::string out(reason.empty() ? "a timer" : reason);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out + (due_ms > now_ms ? ", in " + span_text(due_ms - now_ms) : ", now");
}

std::string waits_text(const json::object& task, int64_t now_ms) {
  std::string out;
  const json::array* waits = array_in(task, "waiting_for");
  if (waits == nullptr) return out;
  for (const json::value& item : *waits) {
    const json::object* wait = item.if_object();
    if (wait == nullptr) continue;
    if (!out.empty()) out += "; ";
    const std::string reason = text_at(*wait, "reason");
    if (const auto due_ms = parse_rfc3339(text_at(*wait, "due"))) {
      out += due_text(reason, *due_ms, now_ms);
    } else {
      out += reason.empty() ? text_at(*wait, "kind") : reason;
    }
  }
  return out;
}

std::string cost_text(const json::object& task) {
  const json::object* usage = object_in(task, "usage");
  const json::value* cost = usage != nullptr ? usage->if_contains("cost_usd") : nullptr;
  if (cost == nullptr || !cost->is_number()) return {};
  std::string out = money_text(cost->to_number<double>());
  const json::value* unpriced = usage->if_contains("unpriced_calls");
  if (unpriced != nullptr && unpriced->is_int64()) {
    const int64_t calls = unpriced->get_int64();
    out += fmt::format(" and {} {} of unknown price", calls, calls == 1 ? "call" : "calls");
  }
  return out;
}

std::string task_text(const json::object& task, const Look& look, int64_t now_ms) {
  std::string out;
  put_line(out, look, "task", visible(text_at(task, "id")));
  const std::string phase = text_at(task, "phase");
  put_line(out, look, "status",
           look.status(visible(text_at(task, "status"))) +
               (phase == "running" ? "" : " (" + visible(phase) + ")"));
  put_line(out, look, "agent", visible(text_at(task, "agent")));
  put_line(out, look, "created", moment(task, "created_at", now_ms));
  put_line(out, look, "updated", moment(task, "updated_at", now_ms));
  if (const json::object* usage = object_in(task, "usage")) {
    put_line(out, look, "used", cost_text(task) + ", " + usage_text(*usage));
  }
  put_line(out, look, "waits for", visible(waits_text(task, now_ms)));
  put_line(out, look, "stopped", visible(text_at(task, "stop_reason")));
  if (const json::object* error = object_in(task, "error")) {
    put_line(out, look, "error", visible(text_at(*error, "message")));
  }
  if (const json::object* damage = object_in(task, "damage")) {
    out += damage_text(*damage, look, now_ms);
  }
  if (task.contains("result")) put_line(out, look, "result", visible(to_json(task.at("result"))));
  return out;
}

std::string damage_text(const json::object& damage, const Look& look, int64_t now_ms) {
  std::string out;
  const std::string record = text_at(damage, "record");
  put_line(out, look, "damage", visible(text_at(damage, "what")));
  put_line(out, look, "at", record.empty() ? "" : "record " + visible(record));
  put_line(out, look, "found", moment(damage, "found_at", now_ms));
  const std::string by = visible(text_at(damage, "ended_by"));
  if (!by.empty()) put_line(out, look, "ended", by + ", " + moment(damage, "ended_at", now_ms));
  const json::array* effects = array_in(damage, "open_effects");
  for (size_t i = 0; effects != nullptr && i < effects->size(); ++i) {
    const json::object* effect = (*effects)[i].if_object();
    if (effect != nullptr) put_line(out, look, i == 0 ? "open" : "", open_effect_text(*effect));
  }
  if (effects != nullptr && !record.empty()) {
    put_line(out, look, "not known",
             "what stands in damaged records: a call of theirs is not named");
  }
  return out;
}

std::string outcome_text(const json::object& task) {
  const json::value* result = task.if_contains("result");
  if (result == nullptr) return {};
  const json::object* object = result->if_object();
  const bool is_text = object != nullptr && object->size() == 1 && object->contains("text");
  return visible_lines(is_text ? text_at(*object, "text") : text_at(task, "result"));
}

std::string record_text(const json::object& record) {
  std::string out;
  const auto add = [&out](const std::string& words) {
    if (!words.empty()) out += (out.empty() ? "" : "  ") + words;
  };
  for (const char* member : {"step", "name", "timer", "outcome", "state", "status", "reason",
                             "decision", "by", "message", "detail", "what"}) {
    add(text_at(record, member));
  }
  for (const char* member : {"input", "args", "result", "note"}) add(payload_text(record, member));
  return out;
}

}  // namespace perdure::cli
