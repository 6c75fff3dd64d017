#include "store/kinds.h"

#include <optional>

#include "adapters/memory/memory_store.h"

namespace perdure::store_test {
namespace {

class OpenMemory : public OpenStore {
 public:
  Store& store() override { return *store_; }
  void reopen() override { store_.emplace(store_->snapshot()); }
  StoreRows rows() override { return store_->snapshot(); }

 private:
  std::optional<MemoryStore> store_{std::in_place, std::string(32, 's')};
};

}  // namespace

std::vector<Kind> kinds() {
  return {{"memory", [] { return std::make_unique<OpenMemory>(); }}};
}

}  // namespace perdure::store_test
