#include "tool/mcp/session.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/assert.h"
#include "base/json_fields.h"
#include "base/text.h"

namespace perdure::mcp {
namespace {

constexpr size_t kStrangeMax = 50;
constexpr size_t kQuietMaxBytes = 64u << 20;
constexpr size_t kQuietMaxMessages = 100'000;
constexpr size_t kGivenUpMax = 1000;
constexpr size_t kPagesMax = 1000;
constexpr size_t kTextMaxBytes = 2048;

std::string cut(std::string_view text) {
  return std::string(beginning(text, kTextMaxBytes));
}

bool is_known(std::string_view revision) {
  return std::find(std::begin(kRevisions), std::end(kRevisions), revision) != std::end(kRevisions);
}

std::string server_of(const json::object& result) {
  const json::object* info = object_in(result, "serverInfo");
  if (info == nullptr) return "";
  return cut(text_in(*info, "name")) + " " + cut(text_in(*info, "version"));
}

bool has_tools(const json::object& result) {
  const json::object* capabilities = object_in(result, "capabilities");
  return capabilities != nullptr && capabilities->contains("tools");
}

std::string described(const RpcError& error) {
  return fmt::format("error {}: {}", error.code, error.message);
}

}  // namespace

Session::Session(SessionOptions options, RequestId first_id)
    : options_(std::move(options)), next_id_(first_id) {}

void Session::open() {
  PERDURE_ASSERT(state_ == State::kNew, "a session is opened once");
  state_ = State::kOpening;
  json::object capabilities;
  if (options_.answers_questions) capabilities["elicitation"].emplace_object();
  opening_ = request(
      "initialize",
      {{"protocolVersion", kRevisions[0]},
       {"capabilities", std::move(capabilities)},
       {"clientInfo", json::object{{"name", "perdure"}, {"version", options_.client_version}}}});
}

RequestId Session::request(std::string_view method, json::object params) {
  const RequestId id = next_id_++;
  frames_.push_back({request_text(id, method, std::move(params)), id});
  return id;
}

void Session::receive(std::string_view frame, RequestId within) {
  if (state_ == State::kBroken) return;
  count_quiet(frame.size());
  auto messages = read_frame(frame, revision_ == "2025-03-26", options_.max_message_bytes);
  if (!messages) return strange(messages.error().message);
  for (Message& message : *messages) {
    if (state_ == State::kBroken) return;
    receive_message(std::move(message), within);
  }
}

void Session::receive_garbage(std::string_view what) {
  if (state_ != State::kBroken) strange(cut(what));
}

void Session::count_quiet(size_t bytes) {
  quiet_bytes_ += bytes;
  if (++quiet_messages_ > kQuietMaxMessages || quiet_bytes_ > kQuietMaxBytes) {
    break_off(fmt::format("it sent {} messages of {} bytes and no answer", quiet_messages_,
                          quiet_bytes_));
  }
}

void Session::strange(std::string what) {
  events_.emplace_back(Strange{what});
  if (++strange_ > kStrangeMax) {
    break_off(
        fmt::format("{} messages that are not to be understood, the last: {}", strange_, what));
  }
}

void Session::break_off(std::string why) {
  if (state_ == State::kBroken) return;
  state_ = State::kBroken;
  frames_.clear();
  events_.emplace_back(Broken{std::move(why)});
}

void Session::receive_message(Message message, RequestId within) {
  switch (message.kind) {
    case Message::Kind::kRequest:
      return receive_request(std::move(message), within);
    case Message::Kind::kNotification:
      return receive_notification(message);
    case Message::Kind::kResult:
    case Message::Kind::kError:
      return receive_answer(std::move(message));
  }
}

void Session::receive_request(Message message, RequestId within) {
  if (message.method == "ping") {
    frames_.push_back({result_text(message.id, {})});
  } else if (message.method == "elicitation/create" && options_.answers_questions) {
    ask_person(message, within);
  } else {
    // Roots and sampling among them: nothing of the kind was declared.
    frames_.push_back({error_text(message.id, kMethodNotFound,
                                  "this client does not offer " + cut(message.method))});
  }
}

void Session::ask_person(const Message& message, RequestId within) {
  auto question = read_question(message.body);
  if (!question) {
    frames_.push_back({error_text(message.id, kInvalidParams, question.error().message)});
    return;
  }
  const auto call = who_asks(within);
  if (!call) {
    frames_.push_back({error_text(message.id, kInvalidRequest, call.error().message)});
    events_.emplace_back(NotAsked{call.error().message, has_given_up()});
    return;
  }
  const bool known = std::any_of(questions_.begin(), questions_.end(),
                                 [&](const auto& open) { return open.second == message.id; });
  if (known || !questions_.emplace(*call, message.id).second) {
    frames_.push_back({error_text(message.id, kInvalidRequest, "a call asks one thing at a time")});
    return;
  }
  events_.emplace_back(Asked{*call, std::move(*question)});
}

// Whose people are asked, and whose call goes on with the answer: nothing is guessed here.
Result<RequestId> Session::who_asks(RequestId within) const {
  if (within != kSharedStream) {
    if (calls_.contains(within)) return within;
    return fail(Code::kInvalid, "this question came with no call that is open");
  }
  if (has_given_up()) {
    return fail(Code::kInvalid, "this may be the question of a call that was given up");
  }
  if (calls_.size() != 1) {
    return fail(
        Code::kInvalid,
        fmt::format("{} calls are open, and nothing says which of them asks this", calls_.size()));
  }
  return *calls_.begin();
}

void Session::reply(RequestId call, json::object result) {
  const auto question = questions_.extract(call);
  if (question) frames_.push_back({result_text(question.mapped(), std::move(result))});
}

void Session::answer(RequestId call, json::object filled) {
  reply(call, {{"action", "accept"}, {"content", std::move(filled)}});
}

void Session::decline(RequestId call) {
  reply(call, {{"action", "decline"}});
}

void Session::dismiss(RequestId call) {
  reply(call, {{"action", "cancel"}});
}

void Session::refuse(RequestId call, std::string_view why) {
  const auto question = questions_.extract(call);
  if (question) frames_.push_back({error_text(question.mapped(), kInvalidRequest, why)});
}

void Session::receive_notification(const Message& message) {
  const json::object& params = message.body;
  if (message.method == "notifications/tools/list_changed") {
    if (state_ == State::kReady) events_.emplace_back(ListChanged{});
  } else if (message.method == "notifications/progress") {
    const auto call = integer_in(params, "progressToken");
    // One that comes late names a call that has ended.
    if (call && calls_.contains(*call)) events_.emplace_back(Progressed{*call});
  } else if (message.method == "notifications/message") {
    const auto data = params.find("data");
    if (data == params.end()) return;
    const std::string text = data->value().is_string() ? std::string(data->value().get_string())
                                                       : to_json(data->value());
    events_.emplace_back(Logged{fmt::format("{}: {}", cut(text_in(params, "level")), cut(text))});
  } else if (message.method == "notifications/cancelled") {
    const auto id = params.find("requestId");
    if (id == params.end()) return;
    const auto found = std::find_if(questions_.begin(), questions_.end(),
                                    [&](const auto& open) { return open.second == id->value(); });
    if (found == questions_.end()) return;
    events_.emplace_back(Withdrawn{found->first});
    questions_.erase(found);
  }
}

void Session::receive_answer(Message message) {
  const RequestId id = message.answers;
  if (id == 0) return strange("it could not read a message: " + described(message.error));
  const bool wanted = id == opening_ || id == listing_ || calls_.contains(id);
  if (!wanted) {
    if (given_up_.erase(id) > 0) return;
    return strange(fmt::format("it answers request {}, which waits for no answer", id));
  }
  quiet_bytes_ = 0;
  quiet_messages_ = 0;
  if (strange_ > 0) --strange_;
  if (id == opening_) return finish_opening(message);
  if (id == listing_) return take_page(message);
  end_call(id);
  events_.emplace_back(Answered{id, message.kind == Message::Kind::kError, std::move(message.body),
                                std::move(message.error)});
}

void Session::finish_opening(const Message& message) {
  opening_ = 0;
  if (message.kind == Message::Kind::kError) {
    return break_off("it refuses to begin: " + described(message.error));
  }
  revision_ = cut(text_in(message.body, "protocolVersion"));
  if (!is_known(revision_)) {
    return break_off(fmt::format("it speaks revision '{}' of the protocol, and we speak {} to {}",
                                 revision_, kRevisions[std::size(kRevisions) - 1], kRevisions[0]));
  }
  state_ = State::kReady;
  frames_.push_back({notification_text("notifications/initialized", {})});
  events_.emplace_back(Ready{revision_, server_of(message.body)});
  if (has_tools(message.body)) return list();
  events_.emplace_back(Listed{});
}

void Session::list() {
  if (state_ != State::kReady || listing_ != 0) return;
  list_ = {};
  cursors_.clear();
  ask_for_page("");
}

void Session::ask_for_page(const std::string& cursor) {
  json::object params;
  if (!cursor.empty()) params["cursor"] = cursor;
  listing_ = request("tools/list", std::move(params));
}

void Session::take_page(const Message& message) {
  listing_ = 0;
  if (message.kind == Message::Kind::kError) {
    return break_off("it does not list its tools: " + described(message.error));
  }
  const json::array* tools = array_in(message.body, "tools");
  if (tools == nullptr) return break_off("its list of tools is no list");
  for (const json::value& item : *tools) {
    auto tool = read_tool(item);
    const auto same = [&](const ListedTool& other) { return other.name == tool->name; };
    if (!tool) {
      list_.left_out.push_back(tool.error().message);
    } else if (std::any_of(list_.tools.begin(), list_.tools.end(), same)) {
      list_.left_out.push_back(tool->name + ": it stands in the list twice");
    } else {
      list_.tools.push_back(std::move(*tool));
    }
    if (list_.tools.size() + list_.left_out.size() > kToolsMax) {
      return break_off(fmt::format("it lists more than {} tools", kToolsMax));
    }
  }
  const auto next = message.body.find("nextCursor");
  if (next == message.body.end() || next->value().is_null()) {
    events_.emplace_back(std::move(list_));
    return;
  }
  if (!next->value().is_string() || cursors_.size() >= kPagesMax ||
      !cursors_.insert(std::string(next->value().get_string())).second) {
    return break_off("its list of tools does not end");
  }
  ask_for_page(std::string(next->value().get_string()));
}

RequestId Session::call(std::string_view tool, json::object args, json::object meta) {
  PERDURE_ASSERT(state_ == State::kReady, "a call needs a session that is ready");
  meta["progressToken"] = next_id_;
  const RequestId id = request(
      "tools/call", {{"name", tool}, {"arguments", std::move(args)}, {"_meta", std::move(meta)}});
  calls_.insert(id);
  return id;
}

void Session::cancel(RequestId call, std::string_view reason) {
  if (state_ != State::kReady || !end_call(call)) return;
  give_up(call);
  frames_.push_back(
      {notification_text("notifications/cancelled", {{"requestId", call}, {"reason", reason}})});
}

void Session::lose(RequestId request, std::string_view why, bool may_have_arrived) {
  if (request != 0 && (request == opening_ || request == listing_)) return break_off(cut(why));
  if (end_call(request) && may_have_arrived) give_up(request);
}

bool Session::end_call(RequestId call) {
  refuse(call, "the call that asks this has ended");
  return calls_.erase(call) > 0;
}

void Session::give_up(RequestId call) {
  given_up_.insert(call);
  if (given_up_.size() <= kGivenUpMax) return;
  given_up_.erase(given_up_.begin());
  given_up_more_ = true;
}

std::vector<Frame> Session::take_frames() {
  return std::exchange(frames_, {});
}

std::vector<Event> Session::take_events() {
  return std::exchange(events_, {});
}

}  // namespace perdure::mcp
