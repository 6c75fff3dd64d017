#pragma once
// OpenAI's Chat Completions API and every server with a compatible base URL, over HttpClient.
#include <memory>

#include "model/provider.h"
#include "model/recording.h"

namespace perdure {

class OpenAiChatProvider final : public Provider {
 public:
  // `http` and `clock` must outlive it. `recorder` may be null.
  OpenAiChatProvider(ModelConfig config, HttpClient& http, Clock& clock, SecretSource secrets,
                     std::shared_ptr<ExchangeRecorder> recorder);

  CallId call(ProviderCall call, ProviderCallbacks callbacks) override;
  void cancel(CallId call) override;
  Usage estimate(const ModelRequest& request) const override;

 private:
  HttpRequest http_request(const ProviderCall& call, const std::string& secret) const;

  ModelConfig config_;
  HttpClient& http_;
  Clock& clock_;
  SecretSource secrets_;
  std::shared_ptr<ExchangeRecorder> recorder_;
};

}  // namespace perdure
