#pragma once
// A server without sockets or threads, whose time moves when the scenario says so: the operator's
// file, the runtime, the routes. `crash` ends it at once; what was durable begins another.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/world.h"
#include "runtime/runtime.h"
#include "scenario/outside.h"
#include "server/config.h"

namespace perdure::scenario {

class Server {
 public:
  // `config_path`: the operator's file.
  explicit Server(std::string config_path);
  ~Server();

  Outside& outside() { return outside_; }
  void crash();
  void settle();
  void pass(int64_t ms);
  api::test::Answer ask(const std::string& method, const std::string& target,
                        const std::string& body = {}, const api::Headers& headers = {});
  // The process dies before it has read the request, or as soon as it has answered.
  void die_before(const std::string& method, const std::string& target, const std::string& body,
                  const api::Headers& headers);
  api::test::Answer ask_and_die(const std::string& method, const std::string& target,
                                const std::string& body, const api::Headers& headers);

 private:
  struct Life;
  bool step();
  std::shared_ptr<api::test::Recorder> send(const std::string& method, const std::string& target,
                                            const std::string& body, const api::Headers& headers);

  std::string config_path_;
  api::test::ManualClock clock_;
  test::CountingRng rng_;
  test::MemoryBlobs blobs_;
  std::optional<StoreRows> disk_;
  Outside outside_;
  std::unique_ptr<Life> life_;
};

}  // namespace perdure::scenario
