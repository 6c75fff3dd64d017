#pragma once
// Fields as a JSON object. Zero hashes, empty strings and absent payloads are left out.
#include <boost/json/object.hpp>

#include "base/json.h"
#include "base/text.h"
#include "journal/binary.h"
#include "journal/record_json.h"

namespace perdure {

class JsonWriter {
 public:
  explicit JsonWriter(json::object& out) : out_(out) {}

  static constexpr bool since(uint32_t) { return true; }

  template <class T>
  void operator()(std::string_view name, const T& value) {
    json::value written = make(value);
    if (!written.is_null()) out_[name] = std::move(written);
  }

  template <class T>
  static json::value make(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_enum_v<T>) {
      return json::value(to_string(value));
    } else if constexpr (std::integral<T>) {
      return json::value(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return value.empty() ? json::value() : json::value(value);
    } else if constexpr (std::is_same_v<T, Sha256>) {
      return value.is_zero() ? json::value() : json::value(to_hex(value.view()));
    } else if constexpr (std::is_same_v<T, TaskId>) {
      return json::value(value.to_string());
    } else if constexpr (std::is_same_v<T, Payload>) {
      return value.exists() ? payload_to_json(value) : json::value();
    } else if constexpr (IsOptional<T>::value) {
      return value ? make(*value) : json::value();
    } else if constexpr (IsVector<T>::value || IsSet<T>::value) {
      json::array items;
      for (const auto& item : value) items.push_back(make(item));
      return items.empty() ? json::value() : json::value(std::move(items));
    } else if constexpr (IsMap<T>::value) {
      json::object items;
      for (const auto& [key, item] : value) items[key_text(key)] = make(item);
      return items.empty() ? json::value() : json::value(std::move(items));
    } else {
      json::object object;
      JsonWriter writer(object);
      const_cast<T&>(value).fields(writer);
      return object;
    }
  }

 private:
  static std::string key_text(const std::string& key) { return key; }
  static std::string key_text(uint64_t key) { return std::to_string(key); }
  static std::string key_text(const Sha256& key) { return to_hex(key.view()); }

  json::object& out_;
};

}  // namespace perdure
