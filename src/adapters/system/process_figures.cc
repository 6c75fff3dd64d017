#include "adapters/system/process_figures.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace perdure {
namespace {

// The fields of /proc/self/stat behind the name, which may hold spaces; the first is the state.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(line.substr(end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

uint64_t count_descriptors() {
  std::error_code error;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // without the one that reads the directory
}

}  // namespace

std::optional<ProcessFigures> process_figures() {
  // Of proc(5), where the state is field 3: utime 14, stime 15, starttime 22, vsize 23, rss 24.
  const auto fields = stat_fields();
  if (fields.size() < 22) return std::nullopt;
  const auto field = [&](size_t number) { return std::stoull(fields[number - 3]); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  ProcessFigures out;
  out.cpu_seconds = static_cast<double>(field(14) + field(15)) / ticks;
  out.started_unix_seconds =
      seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME) + static_cast<double>(field(22)) / ticks;
  out.virtual_bytes = field(23);
  out.resident_bytes = field(24) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  out.open_descriptors = count_descriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) out.descriptors_max = limit.rlim_cur;
  return out;
}

}  // namespace perdure
