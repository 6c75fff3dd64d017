#include "cli/words.h"

#include <fmt/core.h>

#include <algorithm>

namespace perdure::cli {
namespace {

// Code points, which is near enough for columns.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void put_line(std::string& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out += fmt::format("{:<10} {}\n", name, plain(text));
}

const json::object* object_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array* array_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_array() : nullptr;
}

// A payload as the journal shows it.
std::string payload_text(const json::object& record, std::string_view name) {
  const json::object* payload = object_at(record, name);
  if (payload == nullptr) return {};
  for (const char* form : {"json", "text"}) {
    if (payload->contains(form)) return text_at(*payload, form);
  }
  return {};
}

}  // namespace

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : to_json(*value);
}

std::string plain(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xC2 && i + 1 < text.size() &&
                       static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                       static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) ++i;
    out += byte < 0x20 || byte == 0x7F || is_c1 ? ' ' : text[i];
  }
  return out;
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = plain(cell);
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string waits_text(const json::object& task) {
  std::string out;
  const json::array* waits = array_at(task, "waiting_for");
  if (waits == nullptr) return out;
  for (const json::value& item : *waits) {
    const json::object* wait = item.if_object();
    if (wait == nullptr) continue;
    if (!out.empty()) out += ", ";
    const std::string reason = text_at(*wait, "reason");
    out += reason.empty() ? text_at(*wait, "kind") : reason;
  }
  return out;
}

std::string cost_text(const json::object& task) {
  const json::object* usage = object_at(task, "usage");
  const json::value* cost = usage != nullptr ? usage->if_contains("cost_usd") : nullptr;
  if (cost == nullptr || !cost->is_number()) return {};
  return fmt::format("${:.4f}", cost->to_number<double>());
}

std::string task_text(const json::object& task) {
  std::string out;
  put_line(out, "task", text_at(task, "id"));
  const std::string phase = text_at(task, "phase");
  put_line(out, "status", text_at(task, "status") + (phase == "running" ? "" : " (" + phase + ")"));
  put_line(out, "agent", text_at(task, "agent"));
  put_line(out, "created", text_at(task, "created_at"));
  put_line(out, "updated", text_at(task, "updated_at"));
  if (const json::object* usage = object_at(task, "usage")) {
    put_line(out, "used",
             fmt::format("{}, {} model calls, {} tool calls", cost_text(task),
                         text_at(*usage, "model_calls"), text_at(*usage, "tool_calls")));
  }
  put_line(out, "waits for", waits_text(task));
  put_line(out, "stopped", text_at(task, "stop_reason"));
  if (const json::object* error = object_at(task, "error")) {
    put_line(out, "error", text_at(*error, "message"));
  }
  if (task.contains("result")) put_line(out, "result", to_json(task.at("result")));
  return out;
}

std::string interrupt_text(const json::object& interrupt) {
  std::string out;
  put_line(out, text_at(interrupt, "reason"), text_at(interrupt, "message"));
  put_line(out, "  id", text_at(interrupt, "id"));
  put_line(out, "  task", text_at(interrupt, "task") + "  agent " + text_at(interrupt, "agent"));
  if (const json::object* action = object_at(interrupt, "action")) {
    const std::string tool = text_at(*action, "tool");
    put_line(out, "  call", tool.empty() ? "model " + text_at(*action, "model") : tool);
    put_line(out, "  args", text_at(*action, "args"));
    put_line(out, "  key", text_at(*action, "key"));
  }
  const json::array* answers = array_at(interrupt, "answers");
  for (size_t i = 0; answers != nullptr && i < answers->size(); ++i) {
    const json::object* answer = (*answers)[i].if_object();
    if (answer != nullptr) put_line(out, i == 0 ? "  answer" : "", text_at(*answer, "command"));
  }
  return out;
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
