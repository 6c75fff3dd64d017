#pragma once
// Times as people say them. Pure.
#include <cstdint>
#include <string>
#include <string_view>

namespace perdure::cli {

// "45 s", "3 min", "2 h 5 min", "4 days".
std::string span_text(int64_t ms);
// "3 min ago", "in 2 h"; the text itself if it is no time.
std::string relative_text(std::string_view rfc3339, int64_t now_ms);
// Of something that runs: "0:07", "12:30", "1:02:03".
std::string elapsed_text(int64_t ms);

}  // namespace perdure::cli
