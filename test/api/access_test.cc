// Who may do what, and the forms that every request must have.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "api/world.h"

namespace perdure::api::test {
namespace {

struct Door {
  std::string method, target;
  Scopes scopes;
};

// Every route that needs a credential. {task} and {interrupt} are filled in.
const Door kDoors[] = {
    {"POST", "/v1/tasks", kRun},
    {"GET", "/v1/tasks", kRun | kApprove},
    {"GET", "/v1/tasks/{task}", kRun | kApprove},
    {"GET", "/v1/tasks/{task}/events", kRun | kApprove},
    {"GET", "/v1/tasks/{task}/journal", kRun | kApprove},
    {"GET", "/v1/tasks/{task}/state", kRun | kApprove},
    {"POST", "/v1/tasks/{task}/ack", kRun},
    {"POST", "/v1/tasks/{task}/cancel", kRun},
    {"GET", "/v1/interrupts", kRun | kApprove},
    {"GET", "/v1/interrupts/{interrupt}", kRun | kApprove},
    {"POST", "/v1/interrupts/{interrupt}/resolve", kApprove},
    {"POST", "/v1/planners/p/poll", kPlan},
    {"POST", "/v1/planners/p/turns", kPlan},
    {"GET", "/metrics", kAdmin},
    {"GET", "/openapi.json", kAnyScope},
};

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    task_ = world_.submit("payer");
    interrupt_ = world_.get("/v1/interrupts").text("/interrupts/0/id");
  }

  Ask at(const Door& door, std::string token, Headers headers = {}) {
    std::string target = door.target;
    for (const auto& [name, id] : {std::pair("{task}", task_), {"{interrupt}", interrupt_}}) {
      const size_t found = target.find(name);
      if (found != std::string::npos) target.replace(found, std::string(name).size(), id);
    }
    return {.method = door.method,
            .target = std::move(target),
            .body = door.method == "POST" ? "{\"nonsense\":1}" : "",
            .headers = std::move(headers),
            .token = std::move(token)};
  }

  World world_;
  std::string task_;
  std::string interrupt_;
};

TEST_F(AccessTest, NothingIsAnonymousButHealth) {
  for (const Door& door : kDoors) {
    for (const std::string token : {"", "wrong", "al", "alll"}) {
      const Answer answer = world_.ask(at(door, token));
      EXPECT_EQ(answer.status, 401) << door.method << " " << door.target;
      EXPECT_EQ(answer.header("www-authenticate"), "Bearer realm=\"perdure\"");
    }
  }
  Ask basic = at(kDoors[1], "", {{"authorization", "Basic all"}});
  EXPECT_EQ(world_.ask(basic).status, 401);
  EXPECT_EQ(world_.ask({.target = "/nowhere", .token = ""}).status, 401);
  EXPECT_EQ(world_.ask({.target = "/healthz", .token = ""}).status, 200);
  EXPECT_EQ(
      world_.ask({.target = "/readyz", .headers = {{"host", "10.1.2.3"}}, .token = ""}).status,
      200);
}

TEST_F(AccessTest, EveryRouteNeedsItsScope) {
  const std::pair<std::string, Scopes> tokens[] = {
      {"runner", kRun}, {"approver", kApprove}, {"worker", kPlan}};
  for (const Door& door : kDoors) {
    for (const auto& [token, scope] : tokens) {
      const Answer answer = world_.ask(at(door, token));
      if ((door.scopes & scope) == 0) {
        EXPECT_EQ(answer.status, 403) << door.method << " " << door.target << " " << token;
        EXPECT_EQ(answer.text("/code"), "missing_scope");
      } else {
        EXPECT_NE(answer.status, 403) << door.method << " " << door.target << " " << token;
      }
    }
  }
}

TEST_F(AccessTest, ABodyIsLetInByItsHeadAlone) {
  const auto limit = [this](const std::string& target, const std::string& token,
                            const std::string& method = "POST", Headers headers = {}) {
    const auto said = world_.api.body_limit(World::request_of(
        {.method = method, .target = target, .headers = std::move(headers), .token = token}));
    return said ? static_cast<int64_t>(*said) : -said.error().status;
  };
  EXPECT_EQ(limit("/v1/tasks", "all"), 4 << 20);
  EXPECT_EQ(limit("/v1/planners/p/turns", "worker"), 32 << 20);
  EXPECT_EQ(limit("/v1/planners/p/poll", "worker"), 4 << 20);
  EXPECT_EQ(limit("/v1/tasks", "all", "GET"), 64 << 10) << "nobody reads it";
  EXPECT_EQ(limit("/healthz", "", "GET"), 0);

  EXPECT_EQ(limit("/v1/tasks", ""), -401);
  EXPECT_EQ(limit("/v1/tasks", "wrong"), -401);
  EXPECT_EQ(limit("/v1/planners/p/turns", ""), -401);
  EXPECT_EQ(limit("/nowhere", ""), -401);
  EXPECT_EQ(limit("/v1/planners/p/turns", "runner"), -403);
  EXPECT_EQ(limit("/nowhere", "all"), -404);
  EXPECT_EQ(limit("/v1/tasks", "all", "POST", {{"host", "evil.example"}}), -421);
  EXPECT_EQ(limit("/v1/tasks", "all", "POST", {{"origin", "https://evil.example"}}), -403);
  EXPECT_EQ(limit("/v1/tasks", "all", "POST", {{"content-type", "text/plain"}}), -415);
}

TEST_F(AccessTest, WhatNeedsNoCredentialTakesNoBody) {
  const Answer answer = world_.ask({.target = "/healthz", .body = "x", .token = ""});
  EXPECT_EQ(answer.status, 413);
}

TEST_F(AccessTest, WhatIsAnothersIsUnknown) {
  for (const Door& door : kDoors) {
    if (door.target.find('{') == std::string::npos) continue;
    Ask ask = at(door, "stranger");
    if (ask.method == "POST") ask.body = "{}";
    if (ask.target.ends_with("/resolve")) ask.body = R"({"decision":"approve"})";
    const Answer answer = world_.ask(ask);
    EXPECT_EQ(answer.status, 404) << ask.target << " " << answer.body;
    ask.target = door.target;
    EXPECT_EQ(world_.ask(ask).status, 404) << "an id that is none";
  }
  for (const std::string list : {"tasks", "interrupts"}) {
    const Answer answer = world_.ask({.target = "/v1/" + list, .token = "stranger"});
    EXPECT_EQ(answer.json().at(list).get_array().size(), 0u);
  }
  EXPECT_EQ(world_.get("/v1/tasks/" + task_).text("/status"), "input_required");
}

TEST_F(AccessTest, OtherNamesOfThisServerAreNotServed) {
  for (const char* host : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:7070", "[::1]",
                           "[::1]:7070", "perdure.example", "perdure.example:443"}) {
    const Answer answer = world_.ask({.target = "/v1/tasks", .headers = {{"host", host}}});
    EXPECT_EQ(answer.status, 200) << host;
  }
  for (const char* host :
       {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7070",
        "evil.example:localhost", "", "[::2]:80", "perdure.example.evil.example"}) {
    const Answer answer = world_.ask({.target = "/v1/tasks", .headers = {{"host", host}}});
    EXPECT_EQ(answer.status, 421) << host;
    EXPECT_EQ(answer.text("/code"), "unknown_host");
  }
}

TEST_F(AccessTest, PagesOfOtherSitesAreNotServed) {
  const Door approve{"POST", "/v1/interrupts/{interrupt}/resolve", kApprove};
  for (const char* origin : {"https://evil.example", "null", "http://console.example",
                             "https://console.example:444", "http://127.0.0.1:7071", ""}) {
    Ask ask = at(approve, "all", {{"origin", origin}});
    ask.body = R"({"decision":"approve"})";
    const Answer answer = world_.ask(ask);
    EXPECT_EQ(answer.status, 403) << origin;
    EXPECT_EQ(answer.text("/code"), "unknown_origin");
    EXPECT_EQ(answer.header("access-control-allow-origin"), "");
  }
  EXPECT_EQ(world_.get("/v1/interrupts/" + interrupt_).text("/status"), "open");
  Ask ours = at(approve, "all", {{"origin", "https://console.example"}});
  ours.body = R"({"decision":"approve"})";
  EXPECT_EQ(world_.ask(ours).status, 200);
}

TEST_F(AccessTest, OurOwnPageIsServed) {
  for (const char* origin : {"http://127.0.0.1:7070", "https://127.0.0.1:7070"}) {
    EXPECT_EQ(world_.ask({.target = "/v1/tasks", .headers = {{"origin", origin}}}).status, 200);
  }
  const Answer page = world_.ask({.target = "/", .token = ""});
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.header("content-security-policy").find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(world_.ask({.target = "/console/main.js", .token = ""}).status, 200);
  EXPECT_EQ(world_.ask({.target = "/console/secret", .token = ""}).status, 404);
}

TEST_F(AccessTest, WritesAreJson) {
  for (const Door& door : kDoors) {
    if (door.method != "POST") continue;
    for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded",
                             "application/jsonp", "multipart/form-data", "application/jso"}) {
      const Answer answer = world_.ask(at(door, "all", {{"content-type", type}}));
      EXPECT_EQ(answer.status, 415) << door.target << " " << type;
    }
    for (const char* type : {"application/json", "Application/JSON; charset=utf-8"}) {
      const Answer answer = world_.ask(at(door, "all", {{"content-type", type}}));
      EXPECT_EQ(answer.status, 422) << door.target << " " << type << answer.body;
    }
  }
}

TEST_F(AccessTest, UnknownPathsAndMethodsSayWhatThereIs) {
  const Answer method = world_.ask({.method = "DELETE", .target = "/v1/tasks"});
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.header("allow"), "POST, GET, HEAD");
  EXPECT_EQ(world_.ask({.method = "PUT", .target = "/v1/tasks/x/ack"}).header("allow"), "POST");
  for (const char* target : {"/v1", "/v1/task", "/v1/tasks/", "/v1//tasks", "v1/tasks",
                             "/v1/tasks/x/y/z/w/v/u", "/v2/tasks", "", "*", "/v1/tasks/x/evil"}) {
    EXPECT_EQ(world_.get(target).status, 404) << target;
  }
  EXPECT_EQ(world_.ask({.method = "HEAD", .target = "/v1/tasks/" + task_}).status, 200);
}

TEST_F(AccessTest, BodiesAreBounded) {
  World small({.body_bytes = 100, .turn_body_bytes = 200});
  const std::string body = R"({"agent":"echo","input":")" + std::string(100, 'x') + "\"}";
  EXPECT_EQ(small.post("/v1/tasks", body).status, 413);
  EXPECT_EQ(small.post("/v1/planners/p/turns", body).status, 422) << "a turn may be larger";
  EXPECT_EQ(small.post("/v1/planners/p/turns", body + body).status, 413);
}

TEST(System, MetricsAreWellFormed) {
  World world;
  world.submit("payer");
  const Answer answer = world.get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  std::map<std::string, std::string> types;
  std::istringstream lines(answer.body);
  size_t samples = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, what, name, type;
    if (line.starts_with("# ")) {
      words >> hash >> what >> name >> type;
      EXPECT_TRUE(what == "HELP" || what == "TYPE") << line;
      EXPECT_TRUE(name.starts_with("perdure_") || name.starts_with("process_")) << line;
      if (what == "HELP") EXPECT_FALSE(types.contains(name)) << name;
      types[name] = what == "TYPE" ? type : "";
      continue;
    }
    ++samples;
    std::string sample = line.substr(0, line.find_first_of("{ "));
    for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
      const std::string family = sample.substr(0, sample.rfind('_'));
      if (sample.ends_with(suffix) && types[family] == "histogram") sample = family;
    }
    ASSERT_TRUE(types.contains(sample)) << line;
    EXPECT_EQ(types[sample] == "counter", sample.ends_with("_total")) << line;
    EXPECT_NO_THROW((void)std::stod(line.substr(line.rfind(' ') + 1))) << line;
  }
  EXPECT_GT(samples, 20u);
  EXPECT_NE(answer.body.find("perdure_plans_waiting{planner=\"outside-planner\"} 0\n"),
            std::string::npos);
  EXPECT_NE(answer.body.find("perdure_commands_total 2\n"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace perdure::api::test
