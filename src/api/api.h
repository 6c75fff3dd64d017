#pragma once
// The HTTP surface (api/openapi.json): routes, access, problems, event streams. No sockets and no
// threads of its own, so that a simulator can drive it.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "api/http.h"
#include "api/key_ring.h"
#include "api/remote_planners.h"
#include "base/mask.h"
#include "engine/engine.h"
#include "ports/agents.h"
#include "ports/blobs.h"
#include "ports/clock.h"
#include "ports/process_figures.h"
#include "ports/space.h"
#include "ports/store.h"
#include "ports/timers.h"
#include "ports/tool_catalog.h"
#include "ports/trace_figures.h"

namespace perdure::api {

struct ApiLimits {
  size_t body_bytes = 4u << 20;
  size_t turn_body_bytes = 32u << 20;   // of a planner's answer
  size_t other_body_bytes = 64u << 10;  // where none is read
  size_t json_depth = 64;
  size_t json_members = 20'000;  // of one object
  size_t metadata_bytes = 16u << 10;
  int64_t wait_max_ms = 60'000;         // of long polls
  int64_t heartbeat_ms = 15'000;        // of event streams
  size_t streams_max = 4096;            // event streams at once; beyond: 503
  size_t waits_max = 20'000;            // requests held back at once; beyond: answered at once
  size_t page_bytes_max = 4u << 20;     // of events or records in one answer, about
  size_t fold_bytes_max = 8u << 20;     // a longer journal is not folded to show its task
  int64_t reads_waiting_max = 4096;     // requests that wait for a thread to read; beyond: 503
  int64_t read_wait_max_ms = 10'000;    // a request that has waited longer for a thread gets 503
  size_t small_body_bytes = 64u << 10;  // a larger one is parsed apart
};

// What the API works with. All of it outlives the Api.
struct ApiParts {
  engine::Engine& engine;
  StoreReader& reader;
  Blobs& blobs;
  Agents& agents;
  ToolCatalog& tools;
  Clock& clock;
  Rng& rng;
  Timers& timers;  // for long polls and heartbeats
  RemotePlanners& planners;
  std::string store_secret;             // shows the key of a call that a person is asked about
  std::vector<Credential> credentials;  // of the operator's configuration
  std::vector<Key> keys;                // made over the API before
  std::vector<std::string> hosts;       // beside the loopback names
  std::vector<std::string> origins;     // of browsers' pages; none by default
  ApiLimits limits = {};
  Space* space = nullptr;                  // optional: the disk is taken to be endless
  std::function<Status()> readiness = {};  // optional: why no work should come here now
  // Optional, for /metrics: what this process uses, and its version.
  std::function<std::optional<ProcessFigures>()> process = {};
  std::string version = {};
  std::function<TraceFigures()> traces = {};  // optional: how their export fares
  Masker masker = {};                         // of what clients send, before anything reads it
  // Runs what reads journals or parses much on threads of its own, in order of its coming; empty:
  // at once. Has run or dropped all of it before the Api is destroyed.
  std::function<void(std::function<void()>)> apart = {};
};

// Thread-safe. Destroy it when nothing calls `handle`, its timers or the engine's `pump` any more.
class Api : public Handler {
 public:
  explicit Api(ApiParts parts);
  ~Api() override;
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  tl::expected<size_t, Response> body_limit(const Request& head) override;
  void handle(Request request, std::shared_ptr<Responder> responder) override;

  // Requests so far, and those that are held back or streamed to now.
  struct Traffic {
    uint64_t requests = 0;
    uint64_t held = 0;
  };
  Traffic traffic() const;

  // For Engine::observe: without it streams and long polls see nothing happen.
  engine::Observer& observer();
  // A piece of a model's answer, for those who watch this task now. Any thread.
  void publish_delta(const TaskId& task, const StepId& step, uint32_t attempt,
                     std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace perdure::api
