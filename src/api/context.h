#pragma once
// What every route has at hand. Not for other folders.
#include <atomic>
#include <memory>
#include <optional>

#include "api/api.h"
#include "api/live_tasks.h"
#include "api/reads_apart.h"
#include "api/target.h"
#include "base/json.h"
#include "base/shares.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"

namespace perdure::api {

struct RequestCounters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> refused{0};  // before any route: host, origin, credential, scope
  Shares streams;                    // open now
  Shares waits;                      // held back now

  RequestCounters(size_t streams_max, size_t waits_max) : streams(streams_max), waits(waits_max) {}
};

struct Context {
  explicit Context(ApiParts given)
      : parts(std::move(given)),
        access(parts.credentials, parts.keys, parts.hosts, parts.origins) {}

  // Runs `work`, which reads the store for this tenant, on a thread that nobody else waits for,
  // soon: neither the engine's nor the one that all connections share does such work.
  void later(const std::string& tenant, std::function<void()> work) {
    if (!parts.apart) {
      parts.timers.after(0, std::move(work));
    } else {
      reads.put(tenant, std::move(work));
    }
  }
  // The same, after a while.
  uint64_t after(const std::string& tenant, int64_t delay_ms, std::function<void()> work) {
    return parts.timers.after(delay_ms, [this, tenant, work = std::move(work)]() mutable {
      parts.apart ? later(tenant, std::move(work)) : work();
    });
  }

  // Of stored bytes; damage that they find is told to the engine.
  engine::JournalReader journal(const TaskId& task, Seq from_seq) {
    return {parts.reader, task, from_seq, &parts.engine};
  }
  engine::PayloadReader payloads(const std::string& tenant, const TaskId& task) {
    return {parts.reader, parts.blobs, tenant, task, &parts.engine};
  }

  ApiParts parts;
  Access access;
  LiveTasks live;
  ReadsApart reads{parts.apart, static_cast<size_t>(parts.limits.reads_waiting_max)};
  // Shared: a timer that never fired keeps what is counted alive for longer than the API.
  const std::shared_ptr<RequestCounters> counters =
      std::make_shared<RequestCounters>(parts.limits.streams_max, parts.limits.waits_max);
};

// One request on its way through its route. `path` and `query` are views into `request`, which is
// shared so that they stay good.
struct Call {
  std::shared_ptr<const Request> request;
  Path path;
  Who who;  // null only on routes that need no credential
  std::shared_ptr<Responder> responder;

  const std::string& tenant() const { return who->tenant; }
  std::string_view segment(size_t i) const { return path.segments[i]; }
  std::string_view query() const { return path.query; }
};

// A value, or the answer that says why there is none.
template <class T>
using OrResponse = tl::expected<T, Response>;

// Why nothing new can be taken now, if so: the rest of the disk is for tasks that run.
std::optional<Response> no_room(const Context& context);

// The body with the secrets of this server masked: nothing of a request is stored before that.
std::string masked_body(const Context& context, const Call& call);

// The same as JSON within the API's limits. An empty one is {}.
OrResponse<json::value> body_of(const Context& context, const Call& call);

}  // namespace perdure::api
