#pragma once
// Structured logging: one line an event, to stderr. `event` is a fixed dotted name; what varies
// stands in fields. Never called from core. Thread-safe.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace perdure {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kOff };  // kOff: as a level to set

struct LogField {
  std::string_view name;
  std::string value;
};

void set_log_level(LogLevel level);
void set_log_json(bool json_lines);
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace perdure
