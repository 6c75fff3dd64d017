// Properties that hold for every journal, at every record of it.
#include <gtest/gtest.h>

#include <map>

#include "journal_builder.h"
#include "provider_rules.h"
#include "random_world.h"

namespace perdure::test {
namespace {

constexpr uint64_t kSeeds = 400;

template <class Check>
void for_each_world(Check check) {
  for (uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld world(seed);
    world.run();
    check(world);
  }
}

TEST(AgentProperty, TheConversationIsValidAtEveryRecord) {
  const AgentSpec spec = strict_agent();
  for_each_world([&](const RandomWorld& world) {
    Transcript transcript;
    std::string before;
    for (const Record& record : world.records()) {
      transcript.apply(record);
      ASSERT_TRUE(transcript.status()) << transcript.status().error().message;
      const auto messages = transcript.request(spec).messages;
      const std::string shown = show(messages);
      ASSERT_EQ(broken_rule(messages), std::nullopt) << "record " << record.seq << "\n" << shown;
      ASSERT_TRUE(shown.starts_with(before)) << "record " << record.seq << "\n" << shown;
      before = shown;
    }
  });
}

TEST(AgentProperty, ARequestIsAPrefixOfEveryLaterOne) {
  size_t longest = 0;
  for_each_world([&](const RandomWorld& world) {
    std::string before;
    std::string model;
    size_t calls = 0;
    for (const PlannedTurn& turn : world.turns()) {
      if (!turn.calls_model) continue;
      ASSERT_TRUE(turn.request.starts_with(before)) << turn.request;
      ASSERT_TRUE(turn.request.size() > before.size() || turn.model != model || turn.anew)
          << "the model was asked the same again";
      before = turn.request;
      model = turn.model;
      ++calls;
    }
    longest = std::max(longest, calls);
  });
  EXPECT_GE(longest, 8u);
}

// After a crash the task is folded anew, up to any record, and goes on as if nothing had happened.
TEST(AgentProperty, FoldedAnewItPlansTheSame) {
  const AgentSpec spec = strict_agent();
  for_each_world([&](const RandomWorld& world) {
    std::map<Seq, std::pair<uint64_t, std::string>> planned;
    for (size_t i = 0; i < world.turns().size(); ++i) {
      planned[world.turns()[i].upto_seq] = {i + 1, world.turns()[i].shown};
    }
    Transcript grown;
    for (const Record& record : world.records()) {
      grown.apply(record);
      const auto found = planned.find(record.seq);
      if (found == planned.end()) continue;
      const std::vector<Record> cut(world.records().begin(), world.records().begin() + record.seq);
      const Transcript anew = fold(cut);
      ASSERT_EQ(anew.conversation_hash(), grown.conversation_hash());
      ASSERT_EQ(anew.size_bytes(), grown.size_bytes());
      ASSERT_EQ(show(anew.request(spec).messages), show(grown.request(spec).messages));
      const auto turn =
          plan_agent_turn(spec, anew, found->second.first, record.seq, {{"main", {{1000, 4000}}}});
      ASSERT_TRUE(turn) << turn.error().message;
      ASSERT_EQ(show(*turn), found->second.second);
    }
  });
}

// The world asks the loop after every record: a model is never asked twice, and no call is made
// twice.
TEST(AgentProperty, NothingIsPlannedWhileAnAwaitIsOpen) {
  size_t refused = 0;
  for_each_world([&](const RandomWorld& world) { refused += world.plans_refused(); });
  EXPECT_GT(refused, 10 * kSeeds);
}

TEST(AgentProperty, TheWorldsMeetEverything) {
  std::set<std::string> seen;
  for_each_world(
      [&](const RandomWorld& world) { seen.insert(world.seen().begin(), world.seen().end()); });
  for (const char* what : {"completed", "error", "refusal", "retries_exhausted", "denied",
                           "malformed", "refused", "duplicate", "told", "asked another",
                           "sent again", "unknown", "doubt decided", "mended", "not mended"}) {
    EXPECT_TRUE(seen.contains(what)) << what;
  }
}

}  // namespace
}  // namespace perdure::test
