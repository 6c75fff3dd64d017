#pragma once
// The world around the server in a scenario: models and tools that receive requests and answer when
// the scenario says so. It outlives every crash of the server, and remembers what it received.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace perdure::scenario {

struct Received {
  int count = 0;
  std::set<std::string> keys;
  std::string body;  // of the newest request
};

// A request that was written and has no answer yet.
struct Open {
  std::string receiver;  // "model main", "fetch patient", "tool refund"
  HttpRequest request;
  HttpCallbacks callbacks;
  uint64_t id = 0;
};

class Outside {
 public:
  explicit Outside(Clock& clock) : clock_(clock) {}

  // The newest request that `receiver` (or any whose name begins so) has not answered; it is taken.
  std::optional<Open> take(std::string_view receiver);
  const Received& received(const std::string& receiver) { return received_[receiver]; }
  Received received_by_models() const;
  // The texts of the newest request to a model, one a line.
  const std::string& texts_seen_by_a_model() const { return texts_seen_by_a_model_; }
  void put_back(Open call) { open_.push_back(std::move(call)); }
  bool has_open(std::string_view receiver) const;
  std::string open_names() const;
  void forget(const Open& call);  // it never arrived

  // What was wrong with a request: a conversation that a provider would refuse, or one whose
  // beginning is not what was sent before.
  const std::vector<std::string>& complaints() const { return complaints_; }

  // The server's process has ended.
  void crash() { open_.clear(); }

 private:
  friend class OutsideHttp;
  void receive(Open call);
  void read_conversation(const std::string& body);

  Clock& clock_;
  std::vector<Open> open_;
  std::map<std::string, Received> received_;
  std::map<std::string, json::array> conversations_;  // the longest, by its first message of a user
  std::vector<std::string> complaints_;
  std::string texts_seen_by_a_model_;
};

// The HTTP client of one life of the server.
class OutsideHttp : public HttpClient {
 public:
  OutsideHttp(Outside& outside, std::function<void(std::function<void()>)> later)
      : outside_(outside), later_(std::move(later)) {}
  CallId send(HttpRequest request, HttpCallbacks callbacks) override;
  void cancel(CallId call) override;

 private:
  Outside& outside_;
  std::function<void(std::function<void()>)> later_;
  CallId last_ = 0;
};

}  // namespace perdure::scenario
