#include "runtime/script_planner.h"

#include <gtest/gtest.h>

#include <map>

#include "base/json.h"

namespace perdure::runtime {
namespace {

class MapBlobs : public Blobs {
 public:
  Status put(const std::string& tenant, const Sha256& hash, std::string_view bytes) override {
    blobs_[{tenant, hash}] = bytes;
    return {};
  }
  Result<std::string> get(const std::string& tenant, const Sha256& hash) override {
    const auto found = blobs_.find({tenant, hash});
    if (found == blobs_.end()) return fail(Code::kNotFound, "no such blob");
    return found->second;
  }
  // As a task that was just read from the store has it.
  Payload without_bytes(const std::string& bytes) {
    const Sha256 hash = sha256(bytes);
    EXPECT_TRUE(put("t", hash, bytes));
    return Payload::blob(hash, bytes.size());
  }

 private:
  std::map<std::pair<std::string, Sha256>, std::string> blobs_;
};

constexpr const char* kScript = R"({"script": [
  {"call": {"step": "a", "tool": "read"}}, {"await": "a"}, {"complete": {"$result": "a"}}]})";

Result<AnswerTurn> plan(ScriptPlanner& planner, PlanRequest request) {
  Result<AnswerTurn> turn = fail(Code::kInternal, "not answered");
  planner.plan(std::move(request),
               [&](Result<AnswerTurn> answered) { turn = std::move(answered); });
  return turn;
}

PlanRequest second_turn(MapBlobs& blobs, const Payload& state, const std::string& result) {
  PlanRequest request;
  request.tenant = "t";
  request.plan = {2, 6, 1};
  request.after_seq = 1;
  request.input = blobs.without_bytes(kScript);
  request.state = blobs.without_bytes(std::string(state.view()));
  StepSettled settled{"a", 1, Outcome::kSucceeded, {}, {}, 0, {}, blobs.without_bytes(result)};
  request.news.push_back({6, 0, std::move(settled)});
  return request;
}

// What a restart leaves: large payloads are named, and their bytes are in the blob store.
TEST(ScriptPlanner, ReadsLargePayloadsAfterARestart) {
  MapBlobs blobs;
  PlanRequest first;
  first.tenant = "t";
  first.plan = {1, 1, 1};
  first.input = blobs.without_bytes(kScript);
  ScriptPlanner before(blobs);
  const auto turn = plan(before, std::move(first));
  ASSERT_TRUE(turn) << turn.error().message;

  ScriptPlanner after(blobs);
  const std::string result = to_json(json::value(std::string(300'000, 'r').c_str()));
  const auto next = plan(after, second_turn(blobs, turn->state, result));
  ASSERT_TRUE(next) << next.error().message;
  ASSERT_EQ(next->actions.size(), 1u);
  EXPECT_EQ(std::get<CompleteAction>(next->actions[0]).result.view(), result);
}

TEST(ScriptPlanner, SaysWhichBlobIsMissing) {
  MapBlobs blobs;
  PlanRequest request;
  request.tenant = "another";
  request.plan = {1, 1, 1};
  request.input = blobs.without_bytes(kScript);
  ScriptPlanner planner(blobs);
  const auto turn = plan(planner, std::move(request));
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.error().message, "no such blob");
}

}  // namespace
}  // namespace perdure::runtime
