#pragma once
// Sends the requests of any dialect over HttpClient: the one place that knows secrets and
// recordings. Never sends twice.
#include <memory>
#include <string>
#include <vector>

#include "model/codec.h"
#include "model/provider.h"
#include "model/recording.h"

namespace perdure {

class HttpProvider final : public Provider {
 public:
  // `http` and `clock` must outlive it. `recorder` may be null.
  HttpProvider(ModelConfig config, HttpClient& http, Clock& clock, SecretSource secrets,
               std::shared_ptr<ExchangeRecorder> recorder);

  CallId call(ProviderCall call, ProviderCallbacks callbacks) override;
  void cancel(CallId call) override;

 private:
  Result<std::vector<std::string>> read_secrets() const;  // empty: none is sent
  HttpRequest http_request(WireRequest wire, const ProviderCall& call) const;

  ModelConfig config_;
  const Codec& codec_;
  HttpClient& http_;
  Clock& clock_;
  SecretSource secrets_;
  std::shared_ptr<ExchangeRecorder> recorder_;
};

}  // namespace perdure
