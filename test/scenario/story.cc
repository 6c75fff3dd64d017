#include "scenario/story.h"

#include <fmt/core.h>

#include <cmath>

#include "scenario/answers.h"

namespace perdure::scenario {
namespace {

std::string text_of(const json::value& value, std::string_view name) {
  const json::value* found = value.as_object().if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

// Every member of `wanted` stands in `found`; other members may, too.
bool holds(const json::value& found, const json::value& wanted) {
  if (!wanted.is_object()) return found == wanted;
  if (!found.is_object()) return false;
  for (const auto& [name, value] : wanted.get_object()) {
    const json::value* member = found.get_object().if_contains(name);
    if (member == nullptr || !holds(*member, value)) return false;
  }
  return true;
}

void add_members(Line& line, json::object& body) {
  const json::value members = line.value();
  if (!members.is_object()) line.fail("expected {members}");
  for (const auto& [name, value] : members.get_object()) body[name] = value;
}

// The agent loop's results are {"text": ...}: a text alone means that.
bool is_result(const json::value& found, const json::value& wanted) {
  return found == (wanted.is_string() ? json::object{{"text", wanted}} : wanted);
}

}  // namespace

Server& Story::server() {
  if (!server_) server_ = std::make_unique<Server>(setting_.write(folder_.path()));
  return *server_;
}

json::value Story::get(const std::string& target) {
  const api::test::Answer answer = server().ask("GET", target);
  if (answer.status != 200) {
    throw Failed(fmt::format("GET {} answers {} {}", target, answer.status, answer.body));
  }
  return answer.json();
}

void Story::configure(const std::string& what, Line& line, const std::string& block) {
  if (server_) line.fail("the setting is told before the first thing happens");
  if (what == "operator") setting_.operator_lines += block;
  if (what == "agent") setting_.agent_lines += block;
  if (what == "given") {
    line.need("tool");
    setting_.tools[line.word()] = block;
  }
  line.end();
}

void Story::tell(Line& line, const std::string& block) {
  const std::string verb = line.word();
  if (verb == "operator" || verb == "agent" || verb == "given") {
    configure(verb, line, block);
  } else if (!block.empty()) {
    line.fail("nothing may stand below this");
  } else if (verb == "submit") {
    submit(line);
  } else if (verb == "model") {
    model(line);
  } else if (verb == "fetch") {
    fetch(line);
  } else if (verb == "tool") {
    tool(line);
  } else if (verb == "crash") {
    server().crash();
  } else if (verb == "advance") {
    server().pass(line.duration_ms());
  } else if (verb == "decide") {
    decide(line);
  } else if (verb == "cancel") {
    server().ask("POST", "/v1/tasks/" + task_ + "/cancel", "{}");
  } else if (verb == "expect") {
    expect(line);
  } else {
    line.fail("what is '" + verb + "'? " + std::string(kVerbs));
  }
  line.end();
}

// The server dies with the request, or right after its answer, if the line says so.
std::optional<api::test::Answer> Story::post(Line& line, const std::string& target,
                                             const json::object& body,
                                             const api::Headers& headers) {
  const std::string text = to_canonical_json(body);
  if (!line.take("and")) return server().ask("POST", target, text, headers);
  line.need("it"), line.need("dies");
  if (line.take("before")) {
    server().die_before("POST", target, text, headers);
    return std::nullopt;
  }
  line.need("after");
  return server().ask_and_die("POST", target, text, headers);
}

// submit VALUE [key "text"] [with {more members of the request}] [and it dies before|after]
void Story::submit(Line& line) {
  json::object body{{"agent", "helper"}, {"input", line.value()}};
  api::Headers headers;
  if (line.take("key")) headers.emplace_back("idempotency-key", line.quoted());
  if (line.take("with")) add_members(line, body);
  const auto answer = post(line, "/v1/tasks", body, headers);
  if (!answer) return;
  if (answer->status != 202) line.fail(fmt::format("answered {} {}", answer->status, answer->body));
  task_ = answer->text("/id");
}

void Story::end_request(Line& line, Open call, HttpResult result) {
  line.end();
  call.callbacks.on_done(std::move(result));
  server().settle();
}

// What can become of any request. False if the line says something else.
bool Story::ends_badly(Line& line, const Open& call) {
  HttpResult result;
  if (line.take("loses")) {
    line.need("its"), line.need("answer");
    result.end = HttpResult::End::kCut;
  } else if (line.take("refuses")) {
    line.need("the"), line.need("connection");
    server().outside().forget(call);
    result.end = HttpResult::End::kNotSent;
  } else if (line.take("hangs")) {
    result.end = HttpResult::End::kTimedOut;
  } else if (line.take("answers")) {
    result.end = HttpResult::End::kComplete;
    result.status = static_cast<int>(line.number());
    if (line.take("after")) {
      result.headers.emplace_back("retry-after", std::to_string(line.duration_ms() / 1000));
    }
    if (!line.ends()) result.body = to_canonical_json(line.value());
  } else {
    return false;
  }
  result.detail = "as the scenario says";
  end_request(line, call, std::move(result));
  return true;
}

// model [main|backup|patient] says "text" | calls NAME {args} [and NAME {args}]... | a bad end
// model patient accepts: it works in the background, and its name for that is told
void Story::model(Line& line) {
  std::string name;
  for (const char* known : {"main", "backup", "patient"}) {
    if (line.take(known)) name = known;
  }
  auto call = server().outside().take("model " + name);
  if (!call) line.fail("no model has an open request");
  if (name == "patient" && line.take("accepts")) {
    stream(*call,
           R"({"type":"response.created","response":{"id":"resp_1","status":"in_progress"}})");
    server().outside().put_back(std::move(*call));
    return server().settle();
  }
  if (ends_badly(line, *call)) return;
  if (name == "patient") return end_in_background(line, std::move(*call));
  HttpResult result;
  result.end = HttpResult::End::kComplete;
  result.status = 200;
  result.body = model_answer(line, ++answers_);
  end_request(line, std::move(*call), std::move(result));
}

// fetch says "text" | a bad end: of an answer that a model works on in the background
void Story::fetch(Line& line) {
  auto call = server().outside().take("fetch ");
  if (!call) line.fail("nothing is fetched");
  if (!ends_badly(line, *call)) end_in_background(line, std::move(*call));
}

void Story::stream(const Open& call, const std::string& event) {
  if (call.callbacks.on_head) call.callbacks.on_head(200, {});
  call.callbacks.on_body(200, "data: " + event + "\n\n");
}

void Story::end_in_background(Line& line, Open call) {
  stream(call, background_answer(line));
  HttpResult result;
  result.end = HttpResult::End::kComplete;
  result.status = 200;
  end_request(line, std::move(call), std::move(result));
}

// tool NAME returns VALUE | a bad end
void Story::tool(Line& line) {
  const std::string name = line.word();
  auto call = server().outside().take("tool " + name);
  if (!call) line.fail("the tool has no open request");
  if (ends_badly(line, *call)) return;
  line.need("returns");
  HttpResult result;
  result.end = HttpResult::End::kComplete;
  result.status = 200;
  result.body = to_canonical_json(line.value());
  end_request(line, std::move(*call), std::move(result));
}

std::string Story::open_interrupt(Line& line, const std::string& tool) {
  std::string found;
  const json::value inbox = get("/v1/interrupts");
  for (const json::value& interrupt : inbox.as_object().at("interrupts").as_array()) {
    const json::value* action = interrupt.as_object().if_contains("action");
    if (!tool.empty() && (action == nullptr || text_of(*action, "tool") != tool)) continue;
    if (!found.empty()) line.fail("several questions are open; say 'about TOOL'");
    found = text_of(interrupt, "id");
  }
  if (found.empty()) line.fail("no such question is open");
  return found;
}

// decide DECISION [again] [about TOOL] [with {members}] [refused with STATUS]
// [and it dies before|after]
void Story::decide(Line& line) {
  json::object body{{"decision", line.word()}};
  const bool again = line.take("again");
  std::string tool;
  if (line.take("about")) tool = line.word();
  if (line.take("with")) add_members(line, body);
  int64_t expected = 200;
  if (line.take("refused")) {
    line.need("with");
    expected = line.number();
  }
  if (!again) decided_ = open_interrupt(line, tool);
  const auto answer = post(line, "/v1/interrupts/" + decided_ + "/resolve", body, {});
  if (answer && answer->status != expected) {
    line.fail(fmt::format("answered {} {}", answer->status, answer->body));
  }
}

void Story::expect(Line& line) {
  if (line.take("no")) {
    line.need("record");
    expect_record(line, false);
  } else if (line.take("record")) {
    expect_record(line, true);
  } else if (line.take("question")) {
    expect_question(line);
  } else if (line.take("tool")) {
    expect_outside(line, "tool " + line.word());
  } else if (line.take("model")) {
    expect_outside(line, "model");
  } else if (line.take("fetch")) {
    expect_outside(line, "fetch patient");
  } else {
    expect_task(line, line.word());
  }
}

// status WORD | phase WORD | completed VALUE | failed REASON | cancelled | waits WORD | cost USD
void Story::expect_task(Line& line, const std::string& what) {
  const json::value now = task();
  const std::string shown = to_canonical_json(now);
  const std::string status = text_of(now, "status");
  bool as_expected = false;
  if (what == "status" || what == "phase") {
    as_expected = text_of(now, what) == line.word();
  } else if (what == "completed") {
    as_expected = status == "completed" && is_result(now.at("result"), line.value());
  } else if (what == "failed") {
    as_expected = status == "failed" && text_of(now, "stop_reason") == line.word();
    if (line.take("because")) {
      as_expected &= text_of(now.at("error"), "message").find(line.quoted()) != std::string::npos;
    }
  } else if (what == "cancelled") {
    as_expected = status == "cancelled";
  } else if (what == "waits") {
    line.need("for");
    as_expected = shown.find("\"kind\":\"" + line.word() + "\"") != std::string::npos;
  } else if (what == "cost") {
    const double cost = now.at("usage").at("cost_usd").to_number<double>();
    as_expected = std::abs(cost - line.value().to_number<double>()) < 1e-9;
  } else {
    line.fail("what is 'expect " + what + "'?");
  }
  if (!as_expected) line.fail("the task is " + shown);
}

// no question | question REASON [about TOOL] [with {members}]
void Story::expect_question(Line& line) {
  const std::string reason = line.word();
  const json::value inbox = get("/v1/interrupts");
  const json::array& open = inbox.as_object().at("interrupts").as_array();
  if (reason == "none") {
    if (!open.empty()) line.fail("asked is " + to_canonical_json(inbox));
    return;
  }
  std::string tool;
  if (line.take("about")) tool = line.word();
  const json::value shown = get("/v1/interrupts/" + open_interrupt(line, tool));
  const bool with = line.take("with");
  if (text_of(shown, "reason") != reason || (with && !holds(shown, line.value()))) {
    line.fail("asked is " + to_canonical_json(shown));
  }
}

// received N [with N key(s)] | got VALUE | saw "text" | open | not open
void Story::expect_outside(Line& line, const std::string& receiver) {
  Outside& outside = server().outside();
  const Received received =
      receiver == "model" ? outside.received_by_models() : outside.received(receiver);
  if (line.take("received")) {
    const int64_t count = line.number();
    const int64_t keys = line.take("with") ? line.number() : -1;
    if (keys >= 0 && !line.take("keys")) line.need("key");
    if (received.count != count || (keys >= 0 && received.keys.size() != size_t(keys))) {
      line.fail(fmt::format("received {} with {} keys", received.count, received.keys.size()));
    }
  } else if (line.take("got")) {
    if (*parse_json(received.body, "body") != line.value()) line.fail("it got " + received.body);
  } else if (line.take("saw")) {
    const std::string texts = outside.texts_seen_by_a_model();
    if (texts.find(line.quoted()) == std::string::npos) line.fail("it saw:\n" + texts);
  } else {
    const bool wanted = !line.take("not");
    line.need("open");
    if (outside.has_open(receiver) != wanted) {
      line.fail(fmt::format("open are: {}", outside.open_names()));
    }
  }
}

// record TYPE [{members}] [N times]
void Story::expect_record(Line& line, bool wanted) {
  const std::string type = line.word();
  const json::value members = line.ends() || line.peeks_digit() ? json::object() : line.value();
  const int64_t times = line.ends() ? -1 : line.number();
  if (times >= 0) line.need("times");
  const json::value journal = get("/v1/tasks/" + task_ + "/journal?limit=1000");
  int64_t count = 0;
  std::string like;
  for (const json::value& record : journal.as_object().at("records").as_array()) {
    if (text_of(record, "type") != type) continue;
    like += "\n    " + to_canonical_json(record);
    if (holds(record, members)) ++count;
  }
  if (times >= 0 ? count != times : (count > 0) != wanted) {
    line.fail(fmt::format("{} of them; of this type there are: {}", count, like));
  }
}

void Story::close() {
  for (const std::string& complaint : server().outside().complaints()) {
    throw Failed("a provider would object: " + complaint);
  }
  if (task_.empty()) return;
  // A restart changes nothing that is settled.
  const json::value before = task();
  if (!server().outside().open_names().empty()) return;
  server().crash();
  const json::value after = task();
  for (const char* member : {"status", "phase", "result", "usage", "waiting_for"}) {
    const auto* was = before.as_object().if_contains(member);
    const auto* is = after.as_object().if_contains(member);
    if ((was == nullptr) != (is == nullptr) || (was != nullptr && *was != *is)) {
      throw Failed(fmt::format("a restart changes '{}': {} becomes {}", member,
                               to_canonical_json(before), to_canonical_json(after)));
    }
  }
}

}  // namespace perdure::scenario
