#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <boost/json/serialize.hpp>

#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

std::atomic<bool> json_lines{false};

spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("perdure",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %L %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *logger;
}

constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                 spdlog::level::warn, spdlog::level::err,
                                                 spdlog::level::off};

// What a field holds may come from anywhere.
std::string shown(const std::string& value) {
  std::string text = value;
  if (!is_valid_utf8(text)) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return text;
}

}  // namespace

void set_log_level(LogLevel level) {
  sink().set_level(kLevels[static_cast<int>(level)]);
}

void set_log_json(bool enabled) {
  json_lines = enabled;
  // The rest of the object is the text of the line.
  if (enabled) {
    sink().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)", spdlog::pattern_time_type::utc);
  }
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const auto wanted = kLevels[static_cast<int>(level)];
  if (!sink().should_log(wanted)) return;
  if (json_lines) {
    json::object line;
    line["level"] = spdlog::level::to_string_view(wanted).data();
    line["event"] = event;
    for (const LogField& field : fields) line[field.name] = shown(field.value);
    sink().log(wanted, "{}", json::serialize(line).substr(1));
    return;
  }
  std::string line(event);
  for (const LogField& field : fields) {
    line += fmt::format(" {}={}", field.name, json::serialize(json::string(shown(field.value))));
  }
  sink().log(wanted, "{}", line);
}

}  // namespace perdure
