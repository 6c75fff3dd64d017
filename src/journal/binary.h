#pragma once
// The stored form of fields: positional, little-endian base-128 integers (zigzag where signed),
// lengths before bytes. A struct lists its fields once, in `fields(archive)`; see docs/journal.md.
#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/id.h"
#include "journal/payload.h"

namespace perdure {

template <class T>
concept Named = std::is_enum_v<T> && requires(T value) { last_of(value); };

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V>
struct IsMap<std::map<K, V>> : std::true_type {};
template <class T>
struct IsSet : std::false_type {};
template <class T>
struct IsSet<std::set<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

void put_varint(std::string& out, uint64_t value);

// Where the bytes of inline payloads stand.
enum class InlineBytes : bool {
  kApart,   // nowhere among the fields: a frame has an area of its own for them
  kBehind,  // right behind their payload
};

class BinaryWriter {
 public:
  explicit BinaryWriter(std::string& out, InlineBytes bytes = InlineBytes::kApart)
      : out_(out), bytes_(bytes) {}

  // Only the newest version of a record is written.
  static constexpr bool since(uint32_t) { return true; }

  template <class T>
  void operator()(std::string_view, const T& value) {
    put(value);
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      out_ += value ? '\1' : '\0';
    } else if constexpr (std::is_enum_v<T>) {
      put_varint(out_, static_cast<uint64_t>(value));
    } else if constexpr (std::unsigned_integral<T>) {
      put_varint(out_, value);
    } else if constexpr (std::signed_integral<T>) {
      const auto wide = static_cast<int64_t>(value);
      put_varint(out_, static_cast<uint64_t>(wide) << 1 ^ static_cast<uint64_t>(wide >> 63));
    } else if constexpr (std::is_same_v<T, std::string>) {
      put_varint(out_, value.size());
      out_ += value;
    } else if constexpr (std::is_same_v<T, Sha256>) {
      put_hash(value);
    } else if constexpr (std::is_same_v<T, TaskId>) {
      out_ += value.view();
    } else if constexpr (std::is_same_v<T, Payload>) {
      put_payload(value);
    } else if constexpr (IsOptional<T>::value) {
      put(value.has_value());
      if (value) put(*value);
    } else if constexpr (IsVector<T>::value || IsSet<T>::value) {
      put_varint(out_, value.size());
      for (const auto& item : value) put(item);
    } else if constexpr (IsMap<T>::value) {
      put_varint(out_, value.size());
      for (const auto& [key, item] : value) put(key), put(item);
    } else {
      const_cast<T&>(value).fields(*this);
    }
  }

 private:
  void put_hash(const Sha256& hash);  // a zero hash is one byte
  void put_payload(const Payload& payload);

  std::string& out_;
  const InlineBytes bytes_;
};

// Reads what BinaryWriter wrote. Never reads past the end; after the first damage every value is
// empty and `ok` is false. Allocates no more than the input could describe.
class BinaryReader {
 public:
  explicit BinaryReader(std::string_view in, InlineBytes bytes = InlineBytes::kApart)
      : in_(in), bytes_(bytes) {}

  // Fields that came with a later version of their record are not in the input.
  void read_version(uint32_t version) { version_ = version; }
  bool since(uint32_t version) const { return version_ >= version; }

  bool ok() const { return ok_; }
  bool at_end() const { return in_.empty(); }
  size_t left() const { return in_.size(); }
  uint64_t varint();
  std::string_view take(uint64_t size_bytes);
  void spoil() { ok_ = false, in_ = {}; }

  template <class T>
  void operator()(std::string_view, T& value) {
    get(value);
  }

  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const uint64_t read = varint();
      if (read > 1) spoil();
      value = read == 1;
    } else if constexpr (Named<T>) {
      const uint64_t read = varint();
      if (read > static_cast<uint64_t>(last_of(T{}))) return spoil();
      value = static_cast<T>(read);
    } else if constexpr (std::unsigned_integral<T>) {
      const uint64_t read = varint();
      value = static_cast<T>(read);
      if (value != read) spoil();
    } else if constexpr (std::signed_integral<T>) {
      const uint64_t read = varint();
      value = static_cast<T>(static_cast<int64_t>(read >> 1) ^ -static_cast<int64_t>(read & 1));
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = take(varint());
    } else if constexpr (std::is_same_v<T, Sha256>) {
      get_hash(value);
    } else if constexpr (std::is_same_v<T, TaskId>) {
      if (const auto id = TaskId::from_bytes(take(16))) value = *id;
    } else if constexpr (std::is_same_v<T, Payload>) {
      get_payload(value);
    } else if constexpr (IsOptional<T>::value) {
      bool present = false;
      get(present);
      if (present) get(value.emplace());
    } else if constexpr (IsVector<T>::value) {
      const uint64_t count = varint();
      if (count > in_.size() || ++depth_ > kMaxDepth) return spoil();
      for (uint64_t i = 0; i < count && ok_; ++i) get(value.emplace_back());
      --depth_;
    } else if constexpr (IsSet<T>::value) {
      get_sorted(value, 1, [](const auto& item) -> const auto& { return item; });
    } else if constexpr (IsMap<T>::value) {
      get_sorted(value, 2, [](const auto& item) -> const auto& { return item.first; });
    } else {
      value.fields(*this);
    }
  }

 private:
  static constexpr int kMaxDepth = 16;

  void get_hash(Sha256& hash);
  void get_payload(Payload& payload);

  // Keys rise strictly: equal contents have one form. `least_bytes`: of an item.
  template <class T, class KeyOf>
  void get_sorted(T& value, uint64_t least_bytes, KeyOf key_of) {
    const uint64_t count = varint();
    if (count > in_.size() / least_bytes || ++depth_ > kMaxDepth) return spoil();
    for (uint64_t i = 0; i < count && ok_; ++i) {
      typename T::key_type key{};
      get(key);
      if (!ok_ || (!value.empty() && !(key_of(*value.rbegin()) < key))) return spoil();
      if constexpr (IsMap<T>::value) {
        get(value.emplace_hint(value.end(), std::move(key), typename T::mapped_type{})->second);
      } else {
        value.insert(value.end(), std::move(key));
      }
    }
    --depth_;
  }

  std::string_view in_;
  const InlineBytes bytes_;
  bool ok_ = true;
  int depth_ = 0;
  uint32_t version_ = UINT32_MAX;
};

}  // namespace perdure
