// Events: pages, streams, and going on anywhere.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/world.h"

namespace perdure::api::test {
namespace {

using testing::ElementsAre;

Ask stream_of(const std::string& id, const std::string& query = "", Headers headers = {}) {
  headers.emplace_back("accept", "text/event-stream");
  return {.target = "/v1/tasks/" + id + "/events" + query, .headers = std::move(headers)};
}

std::vector<std::string> names_of(const std::string& stream) {
  std::vector<std::string> names;
  for (const Message& message : messages_of(stream)) names.push_back(message.event);
  return names;
}

std::vector<std::string> ids_of(const std::string& stream) {
  std::vector<std::string> ids;
  for (const Message& message : messages_of(stream)) ids.push_back(message.id);
  return ids;
}

TEST(Events, APageShowsWhatHappenedByName) {
  World world;
  const std::string id = world.submit("lookup");
  const Answer page = world.get("/v1/tasks/" + id + "/events");
  EXPECT_EQ(page.status, 200);
  std::vector<std::string> types;
  const json::value shown = page.json();
  for (const json::value& event : shown.at("events").get_array()) {
    types.emplace_back(event.at("type").get_string());
  }
  EXPECT_THAT(types, ElementsAre("task.created", "task.started", "tool.planned", "tool.intended",
                                 "tool.succeeded", "turn.accepted", "task.completed"));
  EXPECT_EQ(page.text("/events/2/data/tool"), "look");
  EXPECT_EQ(page.number("/events/2/data/args/order"), 42);
  EXPECT_EQ(page.number("/events/3/data/reserved/tool_calls"), 1);
  EXPECT_EQ(page.text("/events/6/data/result"), "hello");
  EXPECT_EQ(page.number("/next_after"), 7);
}

TEST(Events, PagesGoOnWhereTheLastOneEnded) {
  World world;
  const std::string id = world.submit("scribe", "20");
  world.pass(100);
  const json::value all = world.get("/v1/tasks/" + id + "/events").json();
  json::array joined;
  int64_t after = 0;
  bool more = true;
  while (more) {
    const Answer page = world.get(fmt::format("/v1/tasks/{}/events?after={}&limit=3", id, after));
    const json::value shown = page.json();
    for (const json::value& event : shown.at("events").get_array()) joined.push_back(event);
    after = page.number("/next_after");
    more = shown.at("has_more").get_bool();
  }
  EXPECT_EQ(all.at("events").get_array(), joined);
  EXPECT_EQ(joined.size(), 26u);
}

TEST(Events, AStreamShowsHistoryAndEndsWithTheTask) {
  World world;
  const std::string id = world.submit("echo");
  const auto stream = world.start(stream_of(id));
  world.settle();
  EXPECT_EQ(World::answer_of(*stream).header("content-type"), "text/event-stream");
  EXPECT_TRUE(stream->ended);
  EXPECT_THAT(names_of(stream->stream),
              ElementsAre("task.created", "task.started", "task.completed"));
  EXPECT_THAT(ids_of(stream->stream), ElementsAre("1", "2", "3"));
  const Answer page = world.get("/v1/tasks/" + id + "/events");
  EXPECT_EQ(messages_of(stream->stream)[1].data + ",",
            page.body.substr(page.body.find("{\"seq\":2"),
                             messages_of(stream->stream)[1].data.size() + 1))
      << "a page and a stream tell the same";
  EXPECT_EQ(world.timers.pending(), 0u);
}

// One task of nine records that asks a person, driven step by step, with a stream that begins
// after `steps` steps and behind event `after`.
std::string watch(size_t steps, Seq after, bool by_header, size_t* steps_made = nullptr) {
  World world;
  world.executor.hold = true;
  const auto submitted = world.start(
      {.method = "POST", .target = "/v1/tasks", .body = R"({"agent":"payer","input":1})"});
  while (!submitted->response) world.step();
  const std::string id = World::answer_of(*submitted).text("/id");
  std::shared_ptr<Recorder> stream;
  size_t made = 0;
  const auto maybe_start = [&] {
    if (made++ != steps) return;
    const std::string value = std::to_string(after);
    stream = by_header ? world.start(stream_of(id, "?after=0", {{"last-event-id", value}}))
                       : world.start(stream_of(id, "?after=" + value));
  };
  const auto drive = [&] {
    for (bool moved = true; moved;) {
      maybe_start();
      moved = world.step();
    }
  };
  drive();
  const Answer inbox = world.get("/v1/interrupts");
  world.start({.method = "POST",
               .target = "/v1/interrupts/" + inbox.text("/interrupts/0/id") + "/resolve",
               .body = R"({"decision":"approve"})"});
  drive();
  EXPECT_EQ(world.executor.held.size(), 1u);
  auto [request, done] = std::move(world.executor.held.at(0));
  done(AnsweringExecutor::success(request));
  drive();
  if (steps_made != nullptr) *steps_made = made;
  if (!stream) return "";
  EXPECT_TRUE(stream->ended || World::answer_of(*stream).status == 204);
  EXPECT_EQ(world.timers.pending(), 0u);
  return stream->stream;
}

TEST(Events, AStreamThatBeginsAnywhereMissesNothingAndRepeatsNothing) {
  size_t steps = 0;
  watch(SIZE_MAX, 0, false, &steps);
  const std::string whole = watch(0, 0, false);
  const std::vector<Message> all = messages_of(whole);
  ASSERT_EQ(all.size(), 9u) << whole;
  ASSERT_GT(steps, 5u) << "few moments to begin at";
  for (size_t step = 0; step < steps; ++step) {
    for (Seq after = 0; after <= all.size(); ++after) {
      std::string expected;
      for (const Message& message : all) {
        if (std::stoull(message.id) <= after) continue;
        expected +=
            fmt::format("id: {}\nevent: {}\ndata: {}\n\n", message.id, message.event, message.data);
      }
      ASSERT_EQ(watch(step, after, step % 2 == 0), expected)
          << "step " << step << " after " << after;
    }
  }
}

TEST(Events, ResumingAtTheEndSaysThatThereIsNoMore) {
  World world;
  const std::string id = world.submit("echo");
  EXPECT_EQ(world.ask(stream_of(id, "?after=3")).status, 204);
  EXPECT_EQ(world.ask(stream_of(id, "", {{"last-event-id", "3"}})).status, 204);
  EXPECT_EQ(world.ask(stream_of(id, "", {{"last-event-id", "three"}})).status, 400);
  EXPECT_EQ(world.ask(stream_of(id, "?after=-1")).status, 422);
  world.post("/v1/tasks/" + id + "/ack", "");
  EXPECT_EQ(world.ask(stream_of(id, "?after=3")).status, 204);
}

TEST(Events, ABurstThatDoesNotFitIsReadFromTheJournal) {
  World world;
  const std::string id = world.submit("sleeper");
  const auto scribe = world.start(
      {.method = "POST", .target = "/v1/tasks", .body = R"({"agent":"scribe","input":900})"});
  world.settle();
  const std::string busy = World::answer_of(*scribe).text("/id");
  const auto late = world.start(stream_of(busy));
  world.pass(100);
  EXPECT_TRUE(late->ended);
  const std::vector<std::string> ids = ids_of(late->stream);
  ASSERT_EQ(ids.size(), 906u);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], std::to_string(i + 1));

  // Live: everything comes in one commit while the stream waits.
  const auto outside = world.submit("outside");
  const auto live = world.start(stream_of(outside));
  world.settle();
  const auto before = ids_of(live->stream);
  const Answer plan = world.ask({.method = "POST",
                                 .target = "/v1/planners/outside-planner/poll",
                                 .body = R"({"version":"1"})"});
  std::string actions;
  for (int i = 0; i < 900; ++i) actions += fmt::format(R"({{"note":{}}},)", i);
  const Answer accepted = world.post(
      "/v1/planners/outside-planner/turns",
      fmt::format(
          R"({{"task":"{}","turn":1,"upto_seq":{},"planner_version":"1","actions":[{}{}]}})",
          outside, plan.number("/plan/upto_seq"), actions, R"({"complete":null})"));
  EXPECT_EQ(accepted.status, 200) << accepted.body;
  world.pass(100);
  EXPECT_TRUE(live->ended);
  const auto all = ids_of(live->stream);
  ASSERT_EQ(all.size(), 903u);
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], std::to_string(i + 1));
}

TEST(Events, LongHistoryIsWrittenInPortions) {
  World world;
  const std::string id = world.submit("outside", "\"" + std::string(200'000, 'i') + "\"");
  const Answer plan = world.post("/v1/planners/outside-planner/poll", R"({"version":"1"})");
  std::string actions;
  for (int i = 0; i < 10; ++i) {
    actions += fmt::format(R"({{"note":"{}"}},)", std::string(100'000, static_cast<char>('a' + i)));
  }
  EXPECT_EQ(world
                .post("/v1/planners/outside-planner/turns",
                      fmt::format(R"({{"task":"{}","turn":1,"upto_seq":1,"planner_version":"1",)"
                                  R"("actions":[{}{{"complete":1}}]}})",
                                  id, actions))
                .status,
            200);
  const auto stream = world.start(stream_of(id));
  EXPECT_FALSE(stream->ended);
  EXPECT_LT(stream->stream.size(), 600'000u);
  world.pass(50);
  EXPECT_TRUE(stream->ended);
  EXPECT_EQ(ids_of(stream->stream).size(), 13u);
}

TEST(Events, QuietStreamsAreKeptAlive) {
  World world;
  const std::string id = world.submit("sleeper");
  const auto stream = world.start(stream_of(id));
  world.pass(14'999);
  EXPECT_EQ(stream->stream.find(":"), stream->stream.find("id:") + 2);
  EXPECT_EQ(stream->stream.find("\n: keep-alive"), std::string::npos);
  world.pass(1);
  EXPECT_NE(stream->stream.find("\n: keep-alive\n\n"), std::string::npos);
  world.pass(60'000);
  EXPECT_TRUE(stream->ended);
}

TEST(Events, AReaderThatIsGoneOrTooSlowIsLetGo) {
  World world;
  const std::string id = world.submit("sleeper");
  const auto gone = world.start(stream_of(id));
  const auto slow = world.start(stream_of(id));
  world.settle();
  EXPECT_NE(world.get("/metrics").body.find("perdure_event_streams 2\n"), std::string::npos);
  gone->disconnect();
  slow->refuses_writes = true;
  world.pass(15'000);
  EXPECT_TRUE(slow->ended);
  EXPECT_NE(world.get("/metrics").body.find("perdure_event_streams 0\n"), std::string::npos);
  EXPECT_EQ(world.timers.pending(), 0u);
}

TEST(Events, StreamsAreBounded) {
  World world({.streams_max = 1});
  const std::string id = world.submit("sleeper");
  const auto first = world.start(stream_of(id));
  const Answer second = world.ask(stream_of(id));
  EXPECT_EQ(second.status, 503);
  EXPECT_EQ(second.text("/code"), "too_many_streams");
  first->disconnect();
  EXPECT_TRUE(world.start(stream_of(id))->streaming);
}

// The timers are the server's, which ends after the API.
TEST(Events, WhoeverWatchesMayOutliveTheApi) {
  for (int steps = 0; steps < 20; ++steps) {
    World world;
    world.executor.hold = true;
    const std::string id = world.submit("lookup");
    const auto stream = world.start(stream_of(id));
    const auto wait = world.start({.target = "/v1/tasks/" + id + "?wait=60"});
    world.settle();
    auto [request, done] = std::move(world.executor.held.at(0));
    done(AnsweringExecutor::success(request));
    for (int i = 0; i < steps; ++i) world.step();
  }
}

TEST(Events, DeltasAreLiveOnlyAndHaveNoId) {
  World world;
  world.executor.hold = true;
  const std::string id = world.submit("talker");
  const auto stream = world.start(stream_of(id));
  world.settle();
  world.api.publish_delta(*TaskId::parse(id), "call-1", 1, "Hel\"lo\n");
  world.settle();
  auto [request, done] = std::move(world.executor.held.at(0));
  SettleStep lost;
  lost.step = request.send.step;
  lost.attempt = request.send.attempt;
  lost.outcome = Outcome::kInDoubt;
  lost.failure = FailureClass::kAmbiguous;
  done(std::move(lost));
  world.pass(60'000);
  ASSERT_EQ(world.executor.held.size(), 2u);
  world.executor.held.at(1).second(AnsweringExecutor::success(world.executor.held.at(1).first));
  world.settle();
  EXPECT_TRUE(stream->ended);
  EXPECT_THAT(names_of(stream->stream),
              ElementsAre("task.created", "task.started", "model.planned", "model.requested",
                          "model.delta", "model.superseded", "timer.set", "timer.fired",
                          "model.requested", "model.answered", "turn.accepted", "task.completed"));
  const Message delta = messages_of(stream->stream)[4];
  EXPECT_EQ(delta.id, "");
  const auto data = parse_json(delta.data, "delta");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->at("data").at("text"), "Hel\"lo\n");
  const auto replay = world.start(stream_of(id));
  world.settle();
  EXPECT_EQ(ids_of(replay->stream).size(), 11u);
}

TEST(Events, HeadDoesNotStream) {
  World world;
  Ask head = stream_of(world.submit("sleeper"));
  head.method = "HEAD";
  EXPECT_EQ(world.ask(head).status, 200);
}

}  // namespace
}  // namespace perdure::api::test
