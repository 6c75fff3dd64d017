#pragma once
// A model behind one interface: a request goes out once, an outcome comes back once.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "journal/message.h"
#include "journal/terms.h"
#include "model/model_config.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace perdure {

struct ProviderCall {
  ModelRequest request;
  // No byte is sent at or after this unix time; 0: no limit.
  int64_t not_after_ms = 0;
  // Not empty: the provider has taken this call before under this name. Its answer is fetched.
  std::string provider_id;
  // Of a fetch: the answer as it stands there, not a stream of it. Tells an answer that failed from
  // a stream that does.
  bool as_it_stands = false;
  std::string tenant;  // for whom
};

// The parts of a SettleStep that a provider knows.
struct ProviderResult {
  Outcome outcome = Outcome::kInDoubt;
  FailureClass failure = FailureClass::kNone;
  std::string detail;  // for people; holds no secret
  int64_t retry_after_ms = 0;
  std::optional<Usage> used;  // absent: unknown
  // kSucceeded: answer_to_json. A truncated answer and a refusal are answers: see stop_reason.
  std::string answer;
};

struct ProviderCallbacks {
  // Optional: text as it comes, provisional. On the client's thread, before on_done.
  std::function<void(std::string_view text)> on_delta;
  // Optional: the provider works on under this name when the connection ends. At most once.
  std::function<void(std::string_view provider_id)> on_provider_id;
  std::function<void(ProviderResult)> on_done;  // once
};

class Provider {
 public:
  virtual ~Provider() = default;
  using CallId = uint64_t;
  // Thread-safe; does not block. Callbacks may come before this returns. The provider must outlive
  // its calls.
  virtual CallId call(ProviderCall call, ProviderCallbacks callbacks) = 0;
  // Ends the call soon; on_done is still called. No effect if it has ended.
  virtual void cancel(CallId call) = 0;
};

// The secret that a reference ("env:NAME", "file:PATH") names. Asked for at every call, so that a
// key can be changed without a restart. Thread-safe.
using SecretSource = std::function<Result<std::string>(const std::string& reference)>;

// The provider that `config` names. `http` and `clock` must outlive it; a replay uses neither.
Result<std::unique_ptr<Provider>> make_provider(const ModelConfig& config, HttpClient& http,
                                                Clock& clock, SecretSource secrets);

}  // namespace perdure
