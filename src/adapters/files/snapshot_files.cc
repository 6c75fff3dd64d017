#include "adapters/files/snapshot_files.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "adapters/files/file.h"
#include "base/hooks.h"
#include "base/log.h"
#include "journal/binary.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

namespace fs = std::filesystem;
using Kind = TaskSnapshot::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 2> kKinds = {
    {{Kind::kState, "state"}, {Kind::kPlanner, "planner"}}};
constexpr std::string_view kUnfinished = ".new";

std::string root_of(const std::string& dir) {
  return dir + "/snapshots";
}

// The digest, then the fields that it covers.
std::string bytes_of(const TaskSnapshot& snapshot) {
  std::string bytes;
  bytes.reserve(snapshot.body.size() + 128);
  BinaryWriter out(bytes);
  out.put(static_cast<uint64_t>(digest_of(snapshot))), out.put(snapshot.task);
  out.put(static_cast<uint64_t>(snapshot.kind)), out.put(snapshot.seq), out.put(snapshot.chain);
  out.put(snapshot.format), out.put(snapshot.body);
  return bytes;
}

std::optional<TaskSnapshot> parse(std::string_view bytes) {
  TaskSnapshot snapshot;
  uint64_t digest = 0, kind = 0;
  BinaryReader in(bytes);
  in.get(digest), in.get(snapshot.task), in.get(kind), in.get(snapshot.seq);
  in.get(snapshot.chain), in.get(snapshot.format), in.get(snapshot.body);
  if (!in.ok() || !in.at_end() || kind > static_cast<uint64_t>(Kind::kPlanner)) return std::nullopt;
  snapshot.kind = static_cast<Kind>(kind);
  const bool is_whole = static_cast<int64_t>(digest) == digest_of(snapshot);
  if (!is_whole && !hooks::planted(hooks::Bug::kVerificationSkipped)) return std::nullopt;
  return snapshot;
}

// What the name of a file says that it is; nothing: something else.
std::optional<std::pair<TaskId, Kind>> parse_name(const fs::path& path) {
  const auto task = TaskId::parse(path.stem().string());
  const std::string ending = path.extension().string();
  if (!task || ending.empty()) return std::nullopt;
  for (const auto& [kind, name] : kKinds) {
    if (ending.substr(1) == name) return std::pair(*task, kind);
  }
  return std::nullopt;
}

template <class Use>
void each_file(const std::string& root, Use use) {
  std::error_code ignored;  // who cannot list them has none
  for (const auto& entry : fs::directory_iterator(root, ignored)) use(entry.path());
}

}  // namespace

Result<std::unique_ptr<SnapshotFiles>> SnapshotFiles::open(const std::string& dir) {
  const std::string root = root_of(dir);
  TRY_STATUS(make_dir(root));
  each_file(root, [](const fs::path& path) {
    if (path.extension() == kUnfinished) unlink(path.c_str());
  });
  return std::unique_ptr<SnapshotFiles>(new SnapshotFiles(root));
}

std::string SnapshotFiles::path_of(const TaskId& task, Kind kind) const {
  return root_ + "/" + task.to_string() + "." +
         std::string(kKinds[static_cast<size_t>(kind)].second);
}

std::optional<TaskSnapshot> SnapshotFiles::find(const TaskId& task, Kind kind) {
  const std::string path = path_of(task, kind);
  const auto bytes = read_whole(path);
  if (!bytes) return std::nullopt;
  auto snapshot = parse(*bytes);
  if (snapshot && snapshot->task == task && snapshot->kind == kind) return snapshot;
  log(LogLevel::kWarn, "snapshot.damaged", {{"file", path}});
  unlink(path.c_str());
  return std::nullopt;
}

Status SnapshotFiles::put(const TaskSnapshot& snapshot) {
  const std::string path = path_of(snapshot.task, snapshot.kind);
  const std::string unfinished = path + std::string(kUnfinished);
  Status written = write_file(unfinished, bytes_of(snapshot));
  if (written) written = rename_file(unfinished, path);
  if (!written) unlink(unfinished.c_str());
  return written;
}

void SnapshotFiles::drop(const TaskId& task) {
  for (const auto& [kind, name] : kKinds) unlink(path_of(task, kind).c_str());
}

uint64_t SnapshotFiles::size_bytes(const TaskId& task, Kind kind) {
  std::error_code missing;
  const auto size = fs::file_size(path_of(task, kind), missing);
  return missing ? 0 : size;
}

std::vector<TaskId> SnapshotFiles::tasks() {
  std::set<TaskId> found;
  each_file(root_, [&](const fs::path& path) {
    if (const auto named = parse_name(path)) found.insert(named->first);
  });
  return {found.begin(), found.end()};
}

void check_snapshot_files(const std::string& dir,
                          const std::function<void(const std::string& path)>& damaged) {
  each_file(root_of(dir), [&](const fs::path& path) {
    const auto named = parse_name(path);
    if (!named) return;
    const auto bytes = read_whole(path);
    const auto snapshot = bytes ? parse(*bytes) : std::nullopt;
    if (!snapshot || std::pair(snapshot->task, snapshot->kind) != *named) damaged(path.string());
  });
}

}  // namespace perdure
