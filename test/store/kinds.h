#pragma once
// The stores that are held to the same rules, each behind one way to open it again and to see all
// of its rows.
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "adapters/memory/rows.h"
#include "ports/store.h"

namespace perdure::store_test {

class OpenStore {
 public:
  virtual ~OpenStore() = default;
  virtual Store& store() = 0;
  // As if the process ended in order and began anew.
  virtual void reopen() = 0;
  virtual StoreRows rows() = 0;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<OpenStore>()> create;
};

inline void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

// Whether commits reach the disk: a test that makes thousands of them and kills nobody may do
// without.
enum class Sync : uint8_t { kOn, kOff };

std::vector<Kind> kinds(Sync sync);

}  // namespace perdure::store_test
