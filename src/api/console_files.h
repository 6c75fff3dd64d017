#pragma once
#include <string_view>

namespace perdure::api {

struct ConsoleFile {
  std::string_view name;
  std::string_view type;  // of its content
  std::string_view text;
};

// A file of console/ as it stood when this was built; null if there is none of that name.
const ConsoleFile* find_console_file(std::string_view name);

}  // namespace perdure::api
