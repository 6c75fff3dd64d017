#include "adapters/files/file_blobs.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>

#include "adapters/files/file.h"
#include "base/assert.h"
#include "base/hooks.h"
#include "base/text.h"

namespace perdure {
namespace {

std::string name_of(const Sha256& hash) {
  return to_hex(hash.view());
}

std::string temporary_dir(const std::string& root) {
  return root + "/unfinished";
}

Error corrupt(const std::string& path) {
  return {
      Code::kCorrupt,
      fmt::format("blob {}: its bytes are not those of its hash; restore the file from a backup",
                  path)};
}

// What an earlier process was writing when it ended.
void remove_leftovers(const std::string& dir) {
  std::error_code ignored;  // a file that stays is in nobody's way
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
    std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace

Result<std::unique_ptr<FileBlobs>> FileBlobs::open(const std::string& dir) {
  const std::string root = dir + "/blobs";
  TRY_STATUS(make_dir(root));
  TRY_STATUS(make_dir(temporary_dir(root)));
  TRY_STATUS(sync_names(root));
  TRY_STATUS(sync_names(dir));
  remove_leftovers(temporary_dir(root));
  return std::unique_ptr<FileBlobs>(new FileBlobs(root));
}

std::unique_ptr<FileBlobs> FileBlobs::view(const std::string& dir) {
  return std::unique_ptr<FileBlobs>(new FileBlobs(dir + "/blobs"));
}

std::string FileBlobs::dir_of(const std::string& tenant, const Sha256& hash) const {
  return fmt::format("{}/{}/{}", root_, name_of(sha256(tenant)), name_of(hash).substr(0, 2));
}

Status FileBlobs::put(const std::string& tenant, const Sha256& hash, std::string_view bytes) {
  PERDURE_ASSERT(sha256(bytes) == hash, "a blob is named by its hash");
  const std::string dir = dir_of(tenant, hash);
  const std::string path = dir + "/" + name_of(hash);
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return tl::unexpected(*failure_);
  }
  TRY_STATUS(make_dirs(dir));
  // A stored copy that is damaged is replaced: these bytes are the right ones.
  const auto stored = get(tenant, hash);
  if (!stored) {
    const Code code = stored.error().code;
    if (code != Code::kNotFound && code != Code::kCorrupt) return tl::unexpected(stored.error());
    TRY_STATUS(write(path, bytes));
  }
  // Also for a blob that was there: another thread, or a process that was killed, may have named it
  // without coming to this line.
  return sync(dir);
}

Status FileBlobs::write(const std::string& path, std::string_view bytes) {
  const std::string temporary = temporary_name();
  Status written = write_durably(temporary, bytes);
  hooks::crash_point("blob.before_rename");
  if (written) written = rename_file(temporary, path);
  if (!written) {
    unlink(temporary.c_str());
    return written;
  }
  hooks::crash_point("blob.after_rename");
  return {};
}

std::string FileBlobs::temporary_name() {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}/{}", temporary_dir(root_), ++next_temporary_);
}

Status FileBlobs::make_dirs(const std::string& dir) {
  const std::string of_tenant = dir.substr(0, dir.rfind('/'));
  {
    const std::lock_guard lock(mutex_);
    if (durable_dirs_.contains(dir)) return {};
  }
  TRY_STATUS(make_dir(of_tenant));
  TRY_STATUS(sync(root_));
  TRY_STATUS(make_dir(dir));
  TRY_STATUS(sync(of_tenant));
  const std::lock_guard lock(mutex_);
  durable_dirs_.insert(dir);
  return {};
}

Status FileBlobs::sync(const std::string& dir) {
  Status synced = sync_names(dir);
  if (synced || synced.error().code == Code::kUnavailable) return synced;
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = synced.error();
  return synced;
}

Result<std::string> FileBlobs::get(const std::string& tenant, const Sha256& hash) {
  const std::string path = dir_of(tenant, hash) + "/" + name_of(hash);
  auto bytes = read_whole(path);
  if (bytes && sha256(*bytes) != hash) return tl::unexpected(corrupt(path));
  return bytes;
}

}  // namespace perdure
