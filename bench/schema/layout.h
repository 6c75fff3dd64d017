// The tables that a step and a submission write, in the shapes that are compared.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "schema/database.h"

namespace perdure::bench {

enum class FrameShape {
  kIndexed,    // in commit order, unique index on (task, first_seq)
  kClustered,  // WITHOUT ROWID by (task, first_seq); has no commit order to read by
  kLinked,     // in commit order, each frame names its task's previous one; heads in memory
  kDeferred,   // in commit order, the index filled in sorted runs of kDeferredFrames
};

enum class Idempotency {
  kText,       // WITHOUT ROWID by (tenant, route, key), index on expiry
  kHash,       // WITHOUT ROWID by a 16-byte hash of the three, index on expiry
  kHashRowid,  // in insertion order, which is the order of expiry; unique index on the hash
};

struct Layout {
  std::string name;
  FrameShape shape = FrameShape::kIndexed;
  bool integer_task = true;
  bool row_per_record = false;
  bool chain_in_body = false;
  bool integer_tenant = false;
  Idempotency idempotency = Idempotency::kText;
  Tuning tuning = {};
};

constexpr int kRecordsPerFrame = 4;
constexpr int kBodyBytes = 700;
constexpr int kDeferredFrames = 4096;

std::vector<std::string> ddl(const Layout& layout);

// Writes the workload into one open database. The caller brackets calls with BEGIN and COMMIT.
class Writer {
 public:
  Writer(Database& db, const Layout& layout);

  // A new task: its row, its idempotency row and its first frame.
  void submit();
  // One frame for the next open task; one time in ten also its row and a timer.
  void step();
  // A journal read from its start; returns the bytes of the bodies.
  int64_t read_journal();
  // From now on the newest `active` tasks take their steps in a random order, again and again.
  void shuffle(int active);
  int64_t frames() const { return frames_; }

 private:
  struct Task {
    std::array<uint8_t, 16> id;
    int64_t key;
    int64_t next_seq = 1;
    int64_t head_pos = 0;
    int64_t timer_due = 0;
  };
  struct Place {
    int64_t task_key;
    int64_t first_seq;
    int64_t pos;
  };

  void append_frame(Task& task);
  void insert_frame_row(const Task& task, int64_t records, int body_bytes);
  void touch_task(Task& task);
  void index_deferred();
  int64_t walk_back(const Task& task);
  Value task_value(const Task& task) const;
  Value tenant_value() const;
  Blob noise(int bytes);

  Layout layout_;
  Statement insert_frame_, insert_task_, update_task_, insert_idempotency_, insert_timer_,
      delete_timer_, insert_place_, select_;
  std::vector<uint8_t> noise_;
  std::mt19937_64 random_{42};
  std::vector<Task> tasks_;
  std::vector<uint32_t> order_;
  size_t turn_ = 0;
  int64_t pos_ = 0;
  int64_t frames_ = 0;
  int64_t clock_ms_ = 1'790'000'000'000;
  std::vector<Place> places_;
  std::vector<Value> row_;
};

}  // namespace perdure::bench
