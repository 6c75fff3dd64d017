#include "store/kinds.h"

#include <optional>

#include "adapters/memory/memory_store.h"
#include "adapters/sqlite/sqlite_store.h"
#include "base/assert.h"
#include "store/sqlite_rows.h"
#include "temporary_dir.h"

namespace perdure::store_test {
namespace {

class OpenMemory : public OpenStore {
 public:
  Store& store() override { return *store_; }
  void reopen() override {
    StoreRows rows = store_->snapshot();
    store_.emplace(std::move(rows));
  }
  StoreRows rows() override { return store_->snapshot(); }

 private:
  std::optional<MemoryStore> store_{std::in_place, std::string(32, 's')};
};

class OpenSqlite : public OpenStore {
 public:
  explicit OpenSqlite(Sync sync) : sync_(sync) { open(); }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    open();
  }
  StoreRows rows() override { return read_rows(dir_.path() + "/perdure.db"); }

 private:
  void open() {
    SqliteOptions options;
    options.dir = dir_.path();
    options.unsafe_no_sync = sync_ == Sync::kOff;
    options.log_bytes = 1 << 16;
    options.checkpoint_pages = 8;  // often, so that it is part of what is tested
    auto opened = SqliteStore::open(options);
    PERDURE_ASSERT(opened, opened.error().message.c_str());
    store_ = std::move(*opened);
  }

  const Sync sync_;
  test::TemporaryDir dir_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace

std::vector<Kind> kinds(Sync sync) {
  return {{"memory", [] { return std::make_unique<OpenMemory>(); }},
          {"sqlite", [sync] { return std::make_unique<OpenSqlite>(sync); }}};
}

}  // namespace perdure::store_test
