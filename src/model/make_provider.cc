#include "model/openai_chat_provider.h"
#include "model/replay_provider.h"

namespace perdure {

Result<std::unique_ptr<Provider>> make_provider(const ModelConfig& config, HttpClient& http,
                                                Clock& clock, SecretSource secrets) {
  if (config.provider == ModelConfig::Provider::kReplay) {
    TRY_ASSIGN(auto exchanges, load_recording(config.recording));
    return std::make_unique<ReplayProvider>(config, std::move(exchanges));
  }
  std::shared_ptr<ExchangeRecorder> recorder;
  if (!config.record_to.empty()) {
    TRY_ASSIGN(recorder, ExchangeRecorder::open(config.record_to));
  }
  return std::make_unique<OpenAiChatProvider>(config, http, clock, std::move(secrets),
                                              std::move(recorder));
}

}  // namespace perdure
