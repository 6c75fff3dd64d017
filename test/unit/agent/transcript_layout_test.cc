// A transcript survives its stored form: what is read is what was folded, and stays so. A change of
// that form, or of the fold itself, is noticed.
#include <gtest/gtest.h>

#include "agent/loop.h"
#include "base/text.h"
#include "fakes/golden_journals.h"
#include "journal_builder.h"
#include "random_world.h"

namespace perdure::test {
namespace {

constexpr uint64_t kSeeds = 150;
constexpr uint64_t kGoldenSeeds = 12;

const CompletePayload kNothingElsewhere = [](Payload&) -> Status {
  return fail(Code::kNotFound, "nothing stands elsewhere");
};

std::optional<Transcript> read(const std::string& bytes, const InlineRules& rules = {}) {
  return Transcript::decode(bytes, rules, kNothingElsewhere);
}

void expect_equal(const Transcript& a, const Transcript& b, const AgentSpec& spec) {
  ASSERT_EQ(a.stage(), b.stage());
  ASSERT_EQ(a.seq(), b.seq());
  ASSERT_EQ(a.conversation_hash(), b.conversation_hash());
  ASSERT_EQ(a.size_bytes(), b.size_bytes());
  ASSERT_EQ(a.memory_bytes(), b.memory_bytes());
  ASSERT_EQ(show(a.request(spec).messages), show(b.request(spec).messages));
  ASSERT_EQ(a.input_tokens_estimate(spec), b.input_tokens_estimate(spec));
  ASSERT_EQ(a.loop(), b.loop());
  ASSERT_EQ(a.answered_by(), b.answered_by());
  ASSERT_EQ(a.answering(), b.answering());
  ASSERT_EQ(a.failures().size(), b.failures().size());
  ASSERT_EQ(a.malformed_answers(), b.malformed_answers());
  ASSERT_EQ(a.paused_answers(), b.paused_answers());
  ASSERT_EQ(a.paused_text(), b.paused_text());
  for (const Tell::Why why :
       {Tell::Why::kOutputSchema, Tell::Why::kLoop, Tell::Why::kMalformedCall}) {
    ASSERT_EQ(a.told(why), b.told(why));
  }
  ASSERT_EQ(a.encode(), b.encode());
}

// Written and read at every record, it goes on as the one that never was.
TEST(TranscriptLayout, AtEveryRecordTheOneThatWasReadIsTheOneThatWasFolded) {
  const AgentSpec spec = strict_agent();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld world(seed);
    world.run();
    Transcript folded, kept;
    for (const Record& record : world.records()) {
      folded.apply(record);
      kept.apply(record);
      ASSERT_NO_FATAL_FAILURE(expect_equal(kept, folded, spec)) << "record " << record.seq;
      auto decoded = read(kept.encode());
      ASSERT_TRUE(decoded) << "record " << record.seq;
      kept = *std::move(decoded);
    }
    ASSERT_NO_FATAL_FAILURE(expect_equal(kept, folded, spec));
  }
}

TEST(TranscriptLayout, WhatIsCutShortIsNoTranscript) {
  RandomWorld world(3);
  world.run();
  const std::string bytes = fold(world.records()).encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(read(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(read(bytes + '\0'));
}

TEST(TranscriptLayout, OfOtherRulesForResultsItIsNotRead) {
  RandomWorld world(3);
  world.run();
  InlineRules rules;
  rules.max_bytes = 100;
  const std::string bytes = fold(world.records()).encode();
  EXPECT_TRUE(read(bytes));
  EXPECT_FALSE(read(bytes, rules));
}

// A large result stands in the blob store, and not a second time in the snapshot.
TEST(TranscriptLayout, WhatStandsInTheBlobStoreIsNamedByItsHash) {
  const std::string large(50'000, 'x');
  Payload blob = Payload::blob(sha256(large), large.size());
  blob.bytes = std::make_shared<const std::string>(large);
  InlineRules rules;
  rules.max_bytes = 1'000;
  rules.can_read_more = true;
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with("", {{"a", "look", "{}"}}));
  journal.tool_planned("t1.0", "look");
  StepSettled settled;
  settled.step = "t1.0";
  settled.attempt = 1;
  settled.outcome = Outcome::kSucceeded;
  settled.result = blob;
  journal.add(settled);
  const Transcript folded = fold(journal.records(), rules);
  ASSERT_NE(folded.large_result("t1.0"), nullptr);
  const std::string bytes = folded.encode();
  EXPECT_LT(bytes.size(), 5'000u);
  EXPECT_FALSE(read(bytes, rules)) << "its bytes are gone";
  const auto kept = Transcript::decode(bytes, rules, [&](Payload& payload) -> Status {
    EXPECT_EQ(payload.hash, blob.hash);
    payload.bytes = blob.bytes;
    return {};
  });
  ASSERT_TRUE(kept);
  ASSERT_NE(kept->large_result("t1.0"), nullptr);
  EXPECT_EQ(*kept->large_result("t1.0"), large);
  EXPECT_EQ(kept->encode(), bytes);
}

// With ACCEPT=1 in the environment the files are written anew; the journals only if there are none.
TEST(TranscriptLayout, AChangeOfTheFoldRaisesItsNumber) {
  if (accepts_golden() && read_golden("agent_journals.txt").empty()) {
    std::string lines;
    for (uint64_t seed = 1; seed <= kGoldenSeeds; ++seed) {
      RandomWorld world(seed);
      world.run();
      lines += golden_line(world.records());
    }
    write_golden("agent_journals.txt", lines);
  }
  std::string hashes;
  for (const auto& records : golden_journals("agent_journals.txt")) {
    for (const size_t count : {records.size() / 3, records.size() / 2, records.size()}) {
      const std::vector<Record> cut(records.begin(),
                                    records.begin() + static_cast<ptrdiff_t>(count));
      hashes += to_hex(sha256(fold(cut).encode()).view()) + "\n";
    }
  }
  ASSERT_FALSE(hashes.empty());
  const std::string name = "transcript.v" + std::to_string(Transcript::kFormat) + ".txt";
  if (accepts_golden()) write_golden(name, hashes);
  EXPECT_EQ(hashes, read_golden(name))
      << "the same journals give another transcript, or other bytes: raise Transcript::kFormat, so "
         "that snapshots of before are not read, and write the files with ACCEPT=1";
}

}  // namespace
}  // namespace perdure::test
