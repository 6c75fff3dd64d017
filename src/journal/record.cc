#include "journal/record.h"

namespace perdure {
namespace {

// Picks the payload out of a record's fields.
struct PayloadFinder {
  Payload* found = nullptr;
  static constexpr bool since(uint32_t) { return true; }
  template <class T>
  void operator()(std::string_view, T& field) {
    if constexpr (std::is_same_v<T, Payload>) found = &field;
  }
};

}  // namespace

std::string_view name_of(const RecordBody& body) {
  return std::visit([](const auto& record) { return std::decay_t<decltype(record)>::kName; }, body);
}

Payload* payload_of(RecordBody& body) {
  PayloadFinder finder;
  std::visit([&](auto& record) { record.fields(finder); }, body);
  return finder.found;
}

const Payload* payload_of(const RecordBody& body) {
  return payload_of(const_cast<RecordBody&>(body));
}

}  // namespace perdure
