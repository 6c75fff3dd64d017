#pragma once
// The way to the tools and the model: a request may not leave, get lost, arrive late; an answer may
// get lost, or come by another way when nobody waits for it. Requests go on when their sender dies.
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "background_host.h"
#include "model_host.h"
#include "oracle.h"
#include "ports/executor.h"
#include "ports/http_client.h"
#include "receivers.h"

namespace perdure::sim {

class World;

class Network {
 public:
  explicit Network(World& world)
      : receivers_(world), model_(world), background_(world), world_(world) {}

  struct Call {
    HttpRequest request;
    HttpCallbacks callbacks;
    std::optional<std::pair<Position, size_t>> sent;  // a tool's: where the oracle keeps it
    uint64_t process = 0;                             // whose it is
    bool written = false;
    bool ended = false;
    std::string tells;  // of which background response its answer tells the end
  };
  using CallPtr = std::shared_ptr<Call>;

  void depart(const CallPtr& call);
  void end(const CallPtr& call, HttpResult result);

 private:
  void arrive(const CallPtr& call);
  void arrive_in_background(const CallPtr& call);
  void answer(const CallPtr& call, Answer answer);
  void answer_another_way(const Call& call, const Answer& answer);
  Sent* sent_of(const Call& call);

  Receivers receivers_;
  ModelHost model_;
  BackgroundHost background_;
  World& world_;
};

// The client that one process has.
class SimHttp : public HttpClient {
 public:
  SimHttp(World& world, Network& network) : world_(world), network_(network) {}

  CallId send(HttpRequest request, HttpCallbacks callbacks) override;
  void cancel(CallId call) override;

  // The call whose request is made now, and what the oracle is to know about it.
  void begin(const CallRequest& request);
  void finish() { starting_.reset(); }

 private:
  World& world_;
  Network& network_;
  std::map<CallId, std::weak_ptr<Network::Call>> calls_;
  std::optional<Sent> starting_;
  CallId count_ = 0;
};

}  // namespace perdure::sim
