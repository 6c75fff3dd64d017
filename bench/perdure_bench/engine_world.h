#pragma once
// A runtime over an SQLite store inside this process, driven by the calling thread, with tools that
// write to a file: what an embedding program would assemble.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/files/file_blobs.h"
#include "adapters/files/snapshot_files.h"
#include "adapters/sqlite/sqlite_store.h"
#include "adapters/system/system_clock.h"
#include "runtime/runtime.h"
#include "runtime/workers.h"

namespace perdure::bench {

inline constexpr size_t kStepBytes = 200;

// Characters that no compression makes smaller than six bits each.
class Noise {
 public:
  Noise();
  std::string_view take(size_t size_bytes);

 private:
  uint64_t next();

  std::string text_;
  uint64_t state_ = 0;
};

// Does one counted write outside a call, then says that it is done, before `start` returns.
class WritingTool : public Executor {
 public:
  explicit WritingTool(const std::string& path);
  ~WritingTool() override;
  void start(CallRequest request, Done done) override;
  void abort(const TaskId&, const StepId&) override {}

  // The line that a call leaves begins with this.
  static std::string name_of(const TaskId& task, const StepId& step);

  uint64_t calls = 0;
  std::function<void()> on_start;

 private:
  int fd_;
  Noise noise_;
};

class EngineWorld {
 public:
  struct Outside {
    Executor& tool;
    HttpClient* http = nullptr;  // null: nothing asks
    runtime::Setup setup = {};
    bool snapshots = false;  // written by a thread that gives way, as in the server
  };
  EngineWorld(const std::string& dir, Outside outside, bool unsafe_no_sync);
  ~EngineWorld();
  EngineWorld(const EngineWorld&) = delete;
  EngineWorld& operator=(const EngineWorld&) = delete;

  // The tool "write": acts, once, nobody is asked; "ask": the same, and a person is asked.
  void submit_script(std::string script);
  void submit_to_agent(const std::string& agent, std::string input);
  engine::Engine& engine() { return runtime_->engine(); }
  SqliteStore& store() { return *store_; }
  SystemClock& clock() { return clock_; }

  // Waits for time or an input when there is nothing to do.
  void pump();
  void pump_until(const std::function<bool()>& reached);
  // Tasks whose end is durable.
  uint64_t ended() const { return ends_.count; }

 private:
  struct Ends : engine::Observer {
    void on_durable(std::span<const engine::Committed> tasks) override;
    uint64_t count = 0;
  };

  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<FileBlobs> blobs_;
  std::unique_ptr<SnapshotFiles> snapshots_;
  std::unique_ptr<runtime::Workers> readers_;
  SystemClock clock_;
  SystemRng rng_;
  std::unique_ptr<runtime::Runtime> runtime_;
  Ends ends_;
};

// {"script": [{"repeat": times, "do": [call of `tool`, await]}]}, with 200 bytes of arguments.
std::string acting_script(int64_t times, const std::string& tool);

template <class T>
T must(Result<T> result);

}  // namespace perdure::bench

#include "schema/meter.h"

namespace perdure::bench {

template <class T>
T must(Result<T> result) {
  if (!result) die(result.error().message);
  return std::move(*result);
}

}  // namespace perdure::bench
