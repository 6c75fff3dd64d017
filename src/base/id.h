#pragma once
// Identities. Each is a type of its own, so that one cannot stand for another.
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace perdure {

// Position of a record in its task's journal: dense, from 1.
using Seq = uint64_t;
// Position of a frame in the store: rising in commit order.
using Pos = uint64_t;
// store incarnation << 32 | lease: raised whenever another process may have taken over.
using Epoch = uint64_t;

// UUIDv7 (RFC 9562, section 5.7): 128 bits, of which the first 48 are a unix time in ms, so that
// what was made at about the same time stands together in an index.
using Uuid = std::array<uint8_t, 16>;
Uuid new_uuid(int64_t unix_ms, uint64_t random_high, uint64_t random_low);

// Of the task's creation. Text form: "task_" and 26 characters of base 32.
struct TaskId {
  Uuid bytes{};

  auto operator<=>(const TaskId&) const = default;
  bool is_zero() const { return *this == TaskId{}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), 16}; }

  int64_t created_ms() const;

  static TaskId make(int64_t unix_ms, uint64_t random_high, uint64_t random_low);
  // No id of a task that was made at this time or later is smaller.
  static TaskId first_of(int64_t unix_ms);
  static std::optional<TaskId> from_bytes(std::string_view bytes);
  static std::optional<TaskId> parse(std::string_view text);
  std::string to_string() const;
};

// An interrupt is named by the record that requested it; the id tells which task to ask.
// Text form: "int_" and 39 characters of base 32.
struct InterruptId {
  TaskId task;
  Seq seq = 0;

  auto operator<=>(const InterruptId&) const = default;
  static std::optional<InterruptId> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace perdure

template <>
struct std::hash<perdure::TaskId> {
  size_t operator()(const perdure::TaskId& id) const noexcept;
};
