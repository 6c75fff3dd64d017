#pragma once
// The process's own HTTP routes, reached without sockets: a request goes in, and what the routes
// answer comes out unless the process dies before it has left.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/api.h"
#include "engine/observer.h"
#include "runtime/runtime.h"

namespace perdure::sim {

class World;

inline constexpr std::string_view kTenant = "t";
inline constexpr std::string_view kPrincipal = "client";
// What agents are called over HTTP whose planners are not the agent loop.
inline constexpr std::string_view kScriptAgent = "scripts";
inline constexpr std::string_view kWildAgent = "wild-tasks";

// A request with the headers that every good one has.
api::Request request_of(std::string method, std::string target, std::string body = {});

class SimTimers : public Timers {
 public:
  explicit SimTimers(World& world) : world_(world) {}
  uint64_t after(int64_t delay_ms, std::function<void()> callback) override;
  void cancel(uint64_t id) override { waiting_.erase(id); }
  void stop() { waiting_.clear(); }

 private:
  World& world_;
  uint64_t count_ = 0;
  std::map<uint64_t, std::function<void()>> waiting_;
};

// Where an answer goes. The client keeps it; the process forgets it when it dies.
class Line : public api::Responder {
 public:
  using Answered = std::function<void(const api::Response&)>;
  using Heard = std::function<void(std::string_view)>;

  // `heard`: the bytes of a stream, piece by piece; none: streams are not wanted.
  Line(World& world, Answered answered, Heard heard = {});

  void respond(api::Response response) override;
  void start_stream(api::Response head) override;
  bool write(std::string_view bytes) override;
  void end_stream() override { ended_ = true; }
  void on_disconnect(std::function<void()> callback) override { gone_ = std::move(callback); }

  // The client hangs up; nothing more reaches it.
  void hang_up();
  bool is_ended() const { return ended_; }
  uint64_t life() const { return life_; }  // of the process at the other end

 private:
  bool passes();

  World& world_;
  const uint64_t life_;
  const Answered answered_;
  const Heard heard_;
  std::function<void()> gone_;
  bool ended_ = false;
  bool hung_up_ = false;
};

// The routes of one life.
class Web {
 public:
  Web(World& world, runtime::Runtime& runtime, StoreReader& reader, Blobs& blobs, Rng& rng,
      const std::string& store_secret);

  ~Web() { timers_.stop(); }  // while there still is what its callbacks hold
  Web(const Web&) = delete;
  Web& operator=(const Web&) = delete;

  void handle(api::Request request, std::shared_ptr<Line> line);
  engine::Observer& observer() { return api_.observer(); }

 private:
  SimTimers timers_;
  api::RemotePlanners planners_;
  api::Api api_;
};

}  // namespace perdure::sim
