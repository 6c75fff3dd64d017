// A state survives its stored form, and a change of that form, or of the fold itself, is noticed.
#include "core/state_layout.h"

#include <fmt/format.h>

#include "core/evolve.h"
#include "fakes/golden_journals.h"
#include "random_task.h"

namespace perdure::test {
namespace {

constexpr uint64_t kSeeds = 200;
constexpr uint64_t kGoldenSeeds = 12;

core::TaskState fold(const std::vector<Record>& records) {
  core::TaskState state;
  state.id = golden_task();
  for (const Record& record : records) EXPECT_TRUE(core::evolve(state, record));
  return state;
}

// At every record, and what comes behind it means the same.
TEST(StateLayout, AStateThatWasWrittenAndReadGoesOnAsTheOther) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomTask task(seed);
    task.run(60);
    core::TaskState grown, read;
    for (const Record& record : task.driver().records()) {
      ASSERT_TRUE(core::evolve(grown, record));
      ASSERT_TRUE(core::evolve(read, record));
      const std::string bytes = core::encode(read);
      ASSERT_EQ(bytes, core::encode(grown)) << "record " << record.seq;
      auto decoded = core::decode_state(bytes);
      ASSERT_TRUE(decoded) << "record " << record.seq;
      ASSERT_EQ(core::hash_of(*decoded), core::hash_of(grown));
      ASSERT_EQ(core::encode(*decoded), bytes) << "with the bytes of payloads";
      read = *std::move(decoded);
    }
  }
}

TEST(StateLayout, WhatIsCutShortOrTooLongIsNoState) {
  RandomTask task(7);
  task.run(60);
  const std::string bytes = core::encode(task.driver().state());
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(core::decode_state(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(core::decode_state(bytes + '\0'));
}

// With ACCEPT=1 in the environment the files are written anew; the journals only if there are none.
TEST(StateLayout, AChangeOfTheFoldRaisesItsNumber) {
  if (accepts_golden() && read_golden("journals.txt").empty()) {
    std::string lines;
    for (uint64_t seed = 1; seed <= kGoldenSeeds; ++seed) {
      RandomTask task(seed);
      task.run(60);
      lines += golden_line(task.driver().records());
    }
    write_golden("journals.txt", lines);
  }
  std::string hashes;
  for (const auto& records : golden_journals("journals.txt")) {
    hashes += to_hex(sha256(core::encode(fold(records))).view()) + "\n";
  }
  ASSERT_FALSE(hashes.empty());
  const std::string name = fmt::format("state.v{}.txt", core::kStateFormat);
  if (accepts_golden()) write_golden(name, hashes);
  EXPECT_EQ(hashes, read_golden(name))
      << "the same journals give another state, or other bytes: raise kStateFormat, so that "
         "snapshots of before are not read, and write the files with ACCEPT=1";
}

}  // namespace
}  // namespace perdure::test
