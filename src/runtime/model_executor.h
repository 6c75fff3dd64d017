#pragma once
// Runs model calls: rebuilds the request from the journal, byte by byte as it was planned, and asks
// the provider.
//
// The arguments of a model call name its conversation, they do not repeat it:
//   {"context_seq": n, "conversation_sha256": hex, "max_output_tokens": n}    of an agent
//   {"messages": [{"role": "system" | "user", "content": text}...], "max_output_tokens"?: n}    of
//   others
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/mask.h"
#include "model/provider.h"
#include "ports/executor.h"
#include "runtime/agent_versions.h"
#include "runtime/rate_buckets.h"
#include "runtime/transcripts.h"
#include "runtime/workers.h"

namespace perdure::runtime {

// Text of an answer that is not complete, for whoever watches. Provisional: an attempt may be lost.
// Thread-safe.
using OnDelta =
    std::function<void(const TaskId&, const StepId&, uint32_t attempt, std::string_view text)>;
using Providers = std::map<std::string, std::unique_ptr<Provider>>;  // by the operator's name
using BucketNames = std::map<std::string, std::string>;              // by the same: bucket_of

class ModelExecutor : public Executor {
 public:
  ModelExecutor(const Providers& providers, const BucketNames& bucket_names, RateBuckets& buckets,
                AgentVersions& versions, Transcripts& transcripts, Masker masker, Spawn spawn,
                OnDelta on_delta);

  ~ModelExecutor() override { buckets_.stop(); }  // timers may still run

  void start(CallRequest request, Done done) override;
  void abort(const TaskId& task, const StepId& step) override;

 private:
  struct Running {
    Provider* provider = nullptr;
    Provider::CallId call = 0;
    bool unwanted = false;  // aborted, perhaps before there was a call to cancel
  };

  Result<ModelRequest> render(const CallRequest& request);
  void run(const CallRequest& request, const Done& done);
  void give_up(const CallRequest& request, const Done& done, const Error& why);
  void send(const CallRequest& request, const Done& done);
  void call(const CallRequest& request, ModelRequest rendered, const Done& done);
  bool is_unwanted(const CallRequest& request);
  void end(const CallRequest& request);

  const std::string& bucket(const CallRequest& request) const;

  const Providers& providers_;
  const BucketNames& bucket_names_;
  RateBuckets& buckets_;
  AgentVersions& versions_;
  Transcripts& transcripts_;
  const Masker masker_;  // before the journal: what is stored is what goes back
  Spawn spawn_;
  OnDelta on_delta_;
  std::mutex mutex_;
  std::map<std::pair<TaskId, StepId>, Running> running_;  // from `start` to the end of the call
};

}  // namespace perdure::runtime
