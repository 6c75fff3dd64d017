// A session against a server that behaves, and against some that do not.
#include "tool/mcp/session.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <functional>

namespace perdure::mcp {
namespace {

class Peer {
 public:
  explicit Peer(SessionOptions options = {}) : session(std::move(options), 1) {}

  // The handshake, and the list.
  void open(std::string_view revision = "2025-11-25", std::string_view tools = R"([{"name":"look",
      "inputSchema":{"type":"object"}}])") {
    session.open();
    answer(next().request, fmt::format(R"({{"protocolVersion":"{}","capabilities":{{"tools":{{}}}},
        "serverInfo":{{"name":"s","version":"1"}}}})",
                                       revision));
    EXPECT_EQ(next().text, R"({"method":"notifications/initialized","jsonrpc":"2.0"})");
    answer(next().request, fmt::format(R"({{"tools":{}}})", tools));
    events();
  }

  Frame next() {
    for (Frame& frame : session.take_frames()) frames_.push_back(std::move(frame));
    if (frames_.empty()) return {"none", 0};
    Frame frame = frames_.front();
    frames_.erase(frames_.begin());
    return frame;
  }

  void answer(RequestId id, std::string_view result) {
    session.receive(fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", id, result));
  }

  std::vector<Event> events() { return session.take_events(); }

  template <class T>
  std::vector<T> all() {
    std::vector<T> found;
    for (Event& event : events()) {
      if (T* item = std::get_if<T>(&event)) found.push_back(std::move(*item));
    }
    return found;
  }

  std::string broken_by() {
    const auto found = all<Broken>();
    return found.empty() ? "" : found[0].why;
  }

  Session session;

 private:
  std::vector<Frame> frames_;
};

TEST(SessionTest, TheHandshake) {
  Peer peer({.client_version = "9"});
  peer.session.open();
  const Frame hello = peer.next();
  EXPECT_EQ(hello.text,
            R"({"id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
            R"("capabilities":{},"clientInfo":{"name":"perdure","version":"9"}},"jsonrpc":"2.0"})");
  EXPECT_FALSE(peer.session.is_ready());
  peer.answer(1, R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}},
                     "serverInfo":{"name":"shop","version":"2"}})");
  const auto events = peer.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<Ready>(events[0]).revision, "2025-06-18");
  EXPECT_EQ(std::get<Ready>(events[0]).server, "shop 2");
  EXPECT_TRUE(peer.session.is_ready());
}

TEST(SessionTest, EveryRevisionButUnknownOnes) {
  for (const std::string_view revision : kRevisions) {
    Peer peer;
    peer.open(revision);
    EXPECT_TRUE(peer.session.is_ready()) << revision;
    EXPECT_EQ(peer.session.revision(), revision);
  }
  for (const char* revision : {"2026-07-28", "1.0", ""}) {
    Peer peer;
    peer.session.open();
    peer.answer(1, fmt::format(R"({{"protocolVersion":"{}"}})", revision));
    EXPECT_NE(peer.broken_by().find("speaks revision"), std::string::npos) << revision;
  }
}

TEST(SessionTest, AServerWithoutToolsHasNone) {
  Peer peer;
  peer.session.open();
  peer.answer(1, R"({"protocolVersion":"2025-11-25","capabilities":{}})");
  const auto listed = peer.all<Listed>();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_TRUE(listed[0].tools.empty());
}

TEST(SessionTest, AListComesInPages) {
  Peer peer;
  peer.open();
  peer.session.list();
  peer.session.list();  // one at a time
  peer.answer(peer.next().request,
              R"({"tools":[{"name":"a","inputSchema":{}},{"name":"bad name","inputSchema":{}}],
                  "nextCursor":"x"})");
  const Frame second = peer.next();
  EXPECT_NE(second.text.find(R"("cursor":"x")"), std::string::npos);
  EXPECT_EQ(peer.all<Listed>().size(), 0U);
  peer.answer(second.request, R"({"tools":[{"name":"b","inputSchema":{}},
                                           {"name":"a","inputSchema":{"x":1}},7]})");
  const auto listed = peer.all<Listed>();
  ASSERT_EQ(listed.size(), 1U);
  ASSERT_EQ(listed[0].tools.size(), 2U);
  EXPECT_EQ(listed[0].tools[0].name, "a");
  EXPECT_EQ(listed[0].tools[0].input_schema, "{}") << "the first of a name counts";
  EXPECT_EQ(listed[0].left_out.size(), 3U);
}

TEST(SessionTest, AListThatDoesNotEndIsBroken) {
  Peer peer;
  peer.open();
  peer.session.list();
  peer.answer(peer.next().request, R"({"tools":[],"nextCursor":"x"})");
  peer.answer(peer.next().request, R"({"tools":[],"nextCursor":"x"})");
  EXPECT_EQ(peer.broken_by(), "its list of tools does not end");
}

TEST(SessionTest, ACallAndItsAnswer) {
  Peer peer;
  peer.open();
  const RequestId id = peer.session.call("look", {{"n", 1}}, {{"perdure/epoch", 5}});
  const Frame frame = peer.next();
  EXPECT_EQ(frame.request, id);
  EXPECT_EQ(frame.text, fmt::format(R"({{"id":{},"method":"tools/call","params":{{"name":"look",)"
                                    R"("arguments":{{"n":1}},"_meta":{{"perdure/epoch":5,)"
                                    R"("progressToken":{}}}}},"jsonrpc":"2.0"}})",
                                    id, id));
  peer.session.receive(fmt::format(R"({{"jsonrpc":"2.0","method":"notifications/progress",
      "params":{{"progressToken":{},"progress":1}}}})",
                                   id));
  EXPECT_EQ(peer.all<Progressed>().size(), 1U);
  peer.answer(id, R"({"content":[]})");
  const auto answers = peer.all<Answered>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].call, id);
  EXPECT_FALSE(answers[0].refused);
  // The second answer of one call, and answers to nothing.
  peer.answer(id, R"({"content":[]})");
  peer.answer(99, "{}");
  auto events = peer.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Strange>(events[0]));
  EXPECT_TRUE(peer.session.is_ready());
}

TEST(SessionTest, ACancelledCallHasNoAnswer) {
  Peer peer;
  peer.open();
  const RequestId id = peer.session.call("look", {}, {});
  peer.next();
  peer.session.cancel(id, "late");
  EXPECT_NE(peer.next().text.find(R"("method":"notifications/cancelled")"), std::string::npos);
  peer.answer(id, "{}");
  EXPECT_TRUE(peer.events().empty()) << "it crossed the cancellation: nothing strange";
  peer.answer(id, "{}");
  EXPECT_EQ(peer.all<Strange>().size(), 1U);
}

TEST(SessionTest, WhatWasNotDeclaredIsRefused) {
  Peer peer;
  peer.open();
  for (const char* method : {"roots/list", "sampling/createMessage", "elicitation/create", "x"}) {
    peer.session.receive(fmt::format(R"({{"jsonrpc":"2.0","id":"q","method":"{}"}})", method));
    const std::string said = peer.next().text;
    EXPECT_NE(said.find(R"("id":"q","error":{"code":-32601)"), std::string::npos) << said;
  }
  peer.session.receive(R"({"jsonrpc":"2.0","id":8,"method":"ping"})");
  EXPECT_EQ(peer.next().text, R"({"id":8,"result":{},"jsonrpc":"2.0"})");
}

std::string question(std::string_view id) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"elicitation/create",
      "params":{{"message":"Size?","requestedSchema":{{"properties":{{"size":{{"type":"string"}}}}}}}}}})",
                     id);
}

struct AskingPeer : Peer {
  AskingPeer() : Peer({.client_version = "", .answers_questions = true}) { open(); }

  RequestId call() {
    const RequestId id = session.call("look", {}, {});
    next();
    return id;
  }
  // The call that is asked for; 0: the question was refused, and the server knows.
  RequestId asked(std::string_view id, RequestId within = kSharedStream) {
    session.receive(question(id), within);
    const auto found = all<Asked>();
    if (!found.empty()) return found[0].call;
    EXPECT_NE(next().text.find(fmt::format(R"("id":{},"error":)", id)), std::string::npos);
    return 0;
  }
};

TEST(SessionTest, AQuestionBelongsToItsCall) {
  AskingPeer peer;
  const RequestId first = peer.call();
  EXPECT_EQ(peer.asked(R"("q")"), first) << "only one is open";
  peer.session.answer(first, {{"size", "L"}});
  EXPECT_EQ(peer.next().text,
            R"({"id":"q","result":{"action":"accept","content":{"size":"L"}},"jsonrpc":"2.0"})");
  peer.session.answer(first, {});
  EXPECT_EQ(peer.next().text, "none") << "answered once";

  const RequestId second = peer.call();
  EXPECT_EQ(peer.asked(R"("q")"), 0) << "it cannot be told whose";
  EXPECT_EQ(peer.asked(R"("q")", second), second);
  EXPECT_EQ(peer.asked(R"("r")", second), 0) << "one at a time";
  EXPECT_EQ(peer.asked(R"("q")", first), 0) << "two of one name";
  EXPECT_EQ(peer.asked(R"("s")", first), first);
  peer.session.receive(R"({"jsonrpc":"2.0","method":"notifications/cancelled",
                           "params":{"requestId":"q"}})");
  const auto withdrawn = peer.all<Withdrawn>();
  ASSERT_EQ(withdrawn.size(), 1U);
  EXPECT_EQ(withdrawn[0].call, second);
  EXPECT_EQ(peer.asked(R"("q")", second), second);
  peer.session.decline(second);
  EXPECT_EQ(peer.next().text, R"({"id":"q","result":{"action":"decline"},"jsonrpc":"2.0"})");
  peer.session.dismiss(first);
  EXPECT_EQ(peer.next().text, R"({"id":"s","result":{"action":"cancel"},"jsonrpc":"2.0"})");
}

TEST(SessionTest, AQuestionIsNobodyElsesThanItsCalls) {
  const auto lost = [](bool may_have_arrived) {
    return
        [=](AskingPeer& peer, RequestId call) { peer.session.lose(call, "cut", may_have_arrived); };
  };
  const auto cancelled = [](AskingPeer& peer, RequestId call) {
    peer.session.cancel(call, "late");
    peer.next();
  };
  struct Case {
    const char* what;
    std::function<void(AskingPeer&, RequestId)> give_up;
    bool may_still_ask;
  } const kCases[] = {{"cancelled", cancelled, true},
                      {"lost", lost(true), true},
                      {"never written", lost(false), false}};
  for (const Case& each : kCases) {
    AskingPeer peer;
    const RequestId first = peer.call();
    each.give_up(peer, first);
    const RequestId second = peer.call();
    if (!each.may_still_ask) {
      EXPECT_EQ(peer.asked("7"), second) << each.what;
      continue;
    }
    peer.session.receive(question("7"));
    const auto refused = peer.all<NotAsked>();
    ASSERT_EQ(refused.size(), 1U) << each.what;
    EXPECT_TRUE(refused[0].of_given_up);
    peer.next();
    EXPECT_EQ(peer.asked("7", first), 0) << each.what;
    EXPECT_EQ(peer.asked("7", second), second) << "its stream says so";
    peer.session.decline(second);
    peer.next();
    peer.answer(first, "{}");
    EXPECT_EQ(peer.asked("7"), second) << "the first has ended after all";
  }
  AskingPeer peer;
  peer.call();
  EXPECT_EQ(peer.asked("7", kForeignStream), 0);
}

TEST(SessionTest, AQuestionEndsWithItsCall) {
  AskingPeer peer;
  for (int i = 0; i < 100; ++i) {
    const RequestId call = peer.call();
    EXPECT_EQ(peer.asked("7"), call) << i;
    peer.answer(call, "{}");
    EXPECT_NE(peer.next().text.find(R"("id":7,"error":)"), std::string::npos)
        << "nobody answers it";
    peer.session.answer(call, {});
    EXPECT_EQ(peer.next().text, "none");
  }
  const RequestId last = peer.call();
  EXPECT_EQ(peer.asked("7"), last);
  peer.session.cancel(last, "late");
  EXPECT_NE(peer.next().text.find(R"("id":7,"error":)"), std::string::npos);
  EXPECT_NE(peer.next().text.find("notifications/cancelled"), std::string::npos);
}

TEST(SessionTest, SomeNonsenseIsToleratedAndMuchIsNot) {
  Peer peer;
  peer.open();
  for (int i = 0; i < 50; ++i) peer.session.receive("Listening on stdio...");
  EXPECT_TRUE(peer.session.is_ready());
  peer.session.receive("{}");
  EXPECT_TRUE(peer.session.is_broken());
  EXPECT_NE(peer.broken_by().find("not to be understood"), std::string::npos);
  peer.session.receive("{}");
  peer.session.cancel(1, "");
  EXPECT_TRUE(peer.events().empty()) << "nothing follows";
}

TEST(SessionTest, AServerThatOnlyTalksIsCutOff) {
  Peer peer;
  peer.open();
  const std::string talk = fmt::format(
      R"({{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":"{}"}}}})",
      std::string(1 << 20, 'x'));
  for (int i = 0; i < 65 && !peer.session.is_broken(); ++i) peer.session.receive(talk);
  EXPECT_TRUE(peer.session.is_broken());
  const auto events = peer.events();
  EXPECT_LE(std::get<Logged>(events[0]).text.size(), 3000U);
}

TEST(SessionTest, ALostHandshakeBreaksIt) {
  Peer peer;
  peer.session.open();
  peer.session.lose(1, "HTTP 401", true);
  EXPECT_EQ(peer.broken_by(), "HTTP 401");
  Peer calling;
  calling.open();
  const RequestId id = calling.session.call("look", {}, {});
  calling.session.lose(id, "cut", true);
  EXPECT_TRUE(calling.session.is_ready());
}

TEST(ToolListTest, WhatIsPinned) {
  const auto tool = [](std::string_view text) {
    return read_tool(parse_json(text, "test").value());
  };
  const auto plain = tool(R"({"name":"a","description":"d","inputSchema":{"b":1,"a":2}})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->input_schema, R"({"a":2,"b":1})");
  const char* const kSame[] = {
      R"({"inputSchema":{"a":2,"b":1},"name":"a","description":"d"})",
      R"({"name":"a","description":"d","inputSchema":{"b":1,"a":2},"icons":[],"_meta":{"x":1}})"};
  for (const char* text : kSame) EXPECT_EQ(tool(text)->sha256, plain->sha256) << text;
  const char* const kOthers[] = {
      R"({"name":"a","description":"D","inputSchema":{"b":1,"a":2}})",
      R"({"name":"a","description":"d","inputSchema":{"b":1,"a":3}})",
      R"({"name":"a","title":"t","description":"d","inputSchema":{"b":1,"a":2}})",
      R"({"name":"a","description":"d","inputSchema":{"b":1,"a":2},"annotations":{"readOnlyHint":true}})"};
  for (const char* text : kOthers) EXPECT_NE(tool(text)->sha256, plain->sha256) << text;
  // What is stored reads the same.
  EXPECT_EQ(read_tool(parse_json(plain->definition, "test").value())->sha256, plain->sha256);
}

}  // namespace
}  // namespace perdure::mcp
