#include "base/id.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace perdure {
namespace {

constexpr std::string_view kTaskPrefix = "task_";
constexpr std::string_view kInterruptPrefix = "int_";

constexpr size_t kTimeBytes = 6;

std::string big_endian(uint64_t value) {
  std::string bytes(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) bytes[i] = static_cast<char>(value & 255);
  return bytes;
}

}  // namespace

Uuid new_uuid(int64_t unix_ms, uint64_t random_high, uint64_t random_low) {
  std::string text = big_endian(static_cast<uint64_t>(unix_ms) << 16 | (random_high & 0xFFFF));
  text += big_endian(random_low);
  Uuid id;
  std::copy(text.begin(), text.end(), id.begin());
  id[6] = static_cast<uint8_t>((id[6] & 0x0F) | 0x70);
  id[8] = static_cast<uint8_t>((id[8] & 0x3F) | 0x80);
  return id;
}

int64_t TaskId::created_ms() const {
  int64_t ms = 0;
  for (size_t i = 0; i < kTimeBytes; ++i) ms = ms << 8 | bytes[i];
  return ms;
}

TaskId TaskId::make(int64_t unix_ms, uint64_t random_high, uint64_t random_low) {
  return {new_uuid(unix_ms, random_high, random_low)};
}

TaskId TaskId::first_of(int64_t unix_ms) {
  TaskId id;
  for (size_t i = kTimeBytes; i-- > 0; unix_ms >>= 8) {
    id.bytes[i] = static_cast<uint8_t>(unix_ms & 255);
  }
  return id;
}

std::optional<TaskId> TaskId::from_bytes(std::string_view bytes) {
  TaskId id;
  if (bytes.size() != id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

std::optional<TaskId> TaskId::parse(std::string_view text) {
  if (!text.starts_with(kTaskPrefix)) return std::nullopt;
  const auto bytes = from_base32(text.substr(kTaskPrefix.size()), 16);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::string TaskId::to_string() const {
  return std::string(kTaskPrefix) + to_base32(view());
}

std::optional<InterruptId> InterruptId::parse(std::string_view text) {
  if (!text.starts_with(kInterruptPrefix)) return std::nullopt;
  const auto bytes = from_base32(text.substr(kInterruptPrefix.size()), 24);
  if (!bytes) return std::nullopt;
  InterruptId id;
  id.task = *TaskId::from_bytes(std::string_view(*bytes).substr(0, 16));
  for (const char c : std::string_view(*bytes).substr(16)) {
    id.seq = id.seq << 8 | static_cast<uint8_t>(c);
  }
  return id;
}

std::string InterruptId::to_string() const {
  return std::string(kInterruptPrefix) + to_base32(std::string(task.view()) + big_endian(seq));
}

}  // namespace perdure

size_t std::hash<perdure::TaskId>::operator()(const perdure::TaskId& id) const noexcept {
  uint64_t low = 0;  // the random half
  std::memcpy(&low, id.bytes.data() + 8, sizeof low);
  return low;
}
