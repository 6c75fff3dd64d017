#include "scenario/outside.h"

#include <fmt/core.h>

#include <algorithm>

namespace perdure::scenario {
namespace {

// http://main.test/v1/... is the model "main", or what fetches an answer of it;
// http://tools.test/refund is the tool "refund".
std::string receiver_of(const HttpRequest& request) {
  const std::string& url = request.url;
  const size_t host = url.find("://") + 3;
  const size_t path = url.find('/', host);
  const std::string name = url.substr(host, url.find('.', host) - host);
  if (name == "tools") return "tool " + url.substr(path + 1);
  return (request.method == "GET" ? "fetch " : "model ") + name;
}

std::string header(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key.size() == name.size() &&
        std::equal(key.begin(), key.end(), name.begin(),
                   [](char a, char b) { return std::tolower(a) == std::tolower(b); })) {
      return value;
    }
  }
  return "";
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

// Providers refuse a call without its result, and a result without its call.
std::string flaw_of(const json::array& messages) {
  std::vector<std::string> unanswered;
  for (const json::value& item : messages) {
    const json::object& message = item.as_object();
    const std::string role = text_at(message, "role");
    if (role == "tool") {
      const std::string id = text_at(message, "tool_call_id");
      const auto call = std::find(unanswered.begin(), unanswered.end(), id);
      if (call == unanswered.end()) return "a result of no call: " + id;
      unanswered.erase(call);
      continue;
    }
    if (!unanswered.empty()) return "a call without a result: " + unanswered.front();
    if (const json::value* calls = message.if_contains("tool_calls")) {
      for (const json::value& call : calls->as_array()) {
        unanswered.push_back(text_at(call.as_object(), "id"));
      }
    }
  }
  return unanswered.empty() ? "" : "a call without a result: " + unanswered.front();
}

}  // namespace

std::optional<Open> Outside::take(std::string_view receiver) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Open& call) {
    return std::string_view(call.receiver).starts_with(receiver);
  });
  if (found == open_.end()) return std::nullopt;
  Open call = std::move(*found);
  open_.erase(found);
  return call;
}

Received Outside::received_by_models() const {
  Received all;
  for (const auto& [name, received] : received_) {
    if (!name.starts_with("model ")) continue;
    all.count += received.count;
    all.keys.insert(received.keys.begin(), received.keys.end());
  }
  return all;
}

bool Outside::has_open(std::string_view receiver) const {
  return std::any_of(open_.begin(), open_.end(), [&](const Open& call) {
    return std::string_view(call.receiver).starts_with(receiver);
  });
}

std::string Outside::open_names() const {
  std::string names;
  for (const Open& call : open_) names += (names.empty() ? "" : ", ") + call.receiver;
  return names;
}

void Outside::forget(const Open& call) {
  Received& received = received_[call.receiver];
  --received.count;
  received.keys.erase(header(call.request, "idempotency-key"));
}

void Outside::receive(Open call) {
  Received& received = received_[call.receiver];
  ++received.count;
  received.body = call.request.body;
  const std::string key = header(call.request, "idempotency-key");
  if (!key.empty()) received.keys.insert(key);
  if (call.receiver.starts_with("model ")) read_conversation(call.request.body);
  open_.push_back(std::move(call));
}

void Outside::read_conversation(const std::string& body) {
  const auto parsed = parse_json(body, "request");
  if (!parsed) return complaints_.push_back("a model was sent what is no JSON");
  // The conversation of the other dialect has a test of its own.
  if (!parsed->as_object().contains("messages")) return;
  const json::array& messages = parsed->as_object().at("messages").as_array();
  texts_seen_by_a_model_.clear();
  for (const json::value& message : messages) {
    texts_seen_by_a_model_ += text_at(message.as_object(), "content") + "\n";
  }
  if (const std::string flaw = flaw_of(messages); !flaw.empty()) complaints_.push_back(flaw);
  const auto user = std::find_if(messages.begin(), messages.end(), [](const json::value& message) {
    return text_at(message.as_object(), "role") == "user";
  });
  if (user == messages.end()) return complaints_.push_back("a model was asked nothing");
  json::array& before = conversations_[to_canonical_json(*user)];
  const size_t shared = std::min(before.size(), messages.size());
  for (size_t i = 0; i < shared; ++i) {
    if (before[i] != messages[i]) {
      complaints_.push_back(fmt::format("message {} is not what was sent before", i));
      break;
    }
  }
  if (messages.size() >= before.size()) before = messages;
}

HttpClient::CallId OutsideHttp::send(HttpRequest request, HttpCallbacks callbacks) {
  const CallId id = ++last_;
  if (request.not_after_ms != 0 && outside_.clock_.unix_ms() >= request.not_after_ms) {
    HttpResult late;
    late.detail = "too late";
    later_([done = std::move(callbacks.on_done), late] { done(late); });
    return id;
  }
  std::string receiver = receiver_of(request);
  outside_.receive({std::move(receiver), std::move(request), std::move(callbacks), id});
  return id;
}

void OutsideHttp::cancel(CallId call) {
  auto& open = outside_.open_;
  const auto found =
      std::find_if(open.begin(), open.end(), [&](const Open& each) { return each.id == call; });
  if (found == open.end()) return;
  HttpResult cancelled;
  cancelled.end = HttpResult::End::kCancelled;
  later_([done = std::move(found->callbacks.on_done), cancelled] { done(cancelled); });
  open.erase(found);
}

}  // namespace perdure::scenario
