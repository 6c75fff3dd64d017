#include "server/sandbox_config.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/text.h"
#include "server/toml.h"

namespace perdure::server {
namespace {

constexpr uint64_t kMiB = 1u << 20;

uint64_t memory_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return 4096 * kMiB;
  const uint64_t machine = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  // What a container may have; the word "max", or no file, where it may have all.
  const auto text = read_file("/sys/fs/cgroup/memory.max");
  const auto container = text ? parse_u64(text->substr(0, text->find('\n'))) : std::nullopt;
  return container ? std::min(machine, *container) : machine;
}

}  // namespace

ShellRoom default_shell_room() {
  ShellRoom room;
  room.at_once = std::max<size_t>(4, 2 * size_t{std::thread::hardware_concurrency()});
  room.memory_bytes = std::max(memory_bytes() / 2, kMiB);
  return room;
}

Status read_sandbox(ShellRoom& room, const json::value& table) {
  ObjectReader in(table, "sandbox");
  room.at_once =
      static_cast<size_t>(in.integer("at_once", 1, 10'000, static_cast<int64_t>(room.at_once)));
  const auto memory_mib = static_cast<int64_t>(room.memory_bytes / kMiB);
  room.memory_bytes =
      static_cast<uint64_t>(in.integer("memory_mib", 1, INT64_MAX >> 20, memory_mib)) * kMiB;
  return in.finish();
}

}  // namespace perdure::server
