#pragma once
// The undo log as the roll-back reads it, in order, with what the last syncs made durable.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pf_log.h"

namespace powerloss {

struct Change {
  const Record* record;
  std::string_view name, name2, data;
};

// Owns the mapping that the changes point into.
class History {
 public:
  static perdure::Result<History> open(const std::string& log_path);
  History(History&& other) noexcept;
  History& operator=(History&&) = delete;
  ~History();

  const std::vector<Change>& changes() const { return changes_; }
  // Changes of bytes that no sync of their file covers, oldest first, by inode in order of
  // appearance.
  std::vector<std::vector<Change>> volatile_data() const;
  // Changes of names that no sync of their directory covers, oldest first. Within a directory they
  // last in order, as in a journalling file system: what was renamed into a synced directory brings
  // along what happened before in the one it came from.
  std::vector<Change> volatile_names() const;

 private:
  History() = default;
  size_t last_sync(uint64_t inode) const;  // changes before this index are durable

  void* base_ = nullptr;
  std::vector<Change> changes_;
  std::map<uint64_t, size_t> last_sync_;
  size_t last_sync_all_ = 0;
};

}  // namespace powerloss
