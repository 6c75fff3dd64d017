#include "model/openai_chat_exchange.h"

#include "journal/message_json.h"
#include "journal/price.h"

namespace perdure {
namespace {

constexpr size_t kErrorBodyMaxBytes = 64 * 1024;

bool is_success(int status) {
  return status >= 200 && status < 300;
}

// What a call without an answer used. Absent means unknown: it may have been computed.
std::optional<Usage> used_without_answer(Outcome outcome) {
  if (outcome == Outcome::kInDoubt) return std::nullopt;
  Usage used;
  if (outcome == Outcome::kFailed) used.model_calls = 1;
  return used;
}

}  // namespace

OpenAiChatExchange::OpenAiChatExchange(const ModelRequest& request, const ModelConfig& config,
                                       std::function<void(std::string_view)> on_delta)
    : names_(request.tools), price_(config.price), stream_(std::move(on_delta)) {}

void OpenAiChatExchange::on_body(int status, std::string_view bytes) {
  has_body_ = true;
  if (is_success(status)) {
    stream_.feed(bytes);
  } else if (error_body_.size() < kErrorBodyMaxBytes) {
    error_body_ += bytes.substr(0, kErrorBodyMaxBytes - error_body_.size());
  }
}

ProviderResult OpenAiChatExchange::succeeded(const ModelAnswer& answer) const {
  ProviderResult out;
  out.outcome = Outcome::kSucceeded;
  if (answer.input_tokens >= 0 && answer.output_tokens >= 0) {
    out.used = Usage{.cost_micro_usd = cost(price_, answer.input_tokens, answer.output_tokens),
                     .model_calls = 1,
                     .input_tokens = answer.input_tokens,
                     .output_tokens = answer.output_tokens};
  }
  out.answer = answer_to_json(answer);
  return out;
}

ProviderResult OpenAiChatExchange::finish(const HttpResult& result, int64_t now_ms) {
  if (!has_body_ && !result.body.empty()) on_body(result.status, result.body);
  CallFailure failure;
  if (is_success(result.status)) {
    auto end = stream_.finish(result.end, result.detail, result.headers, now_ms);
    if (end.answer) {
      for (ToolCall& call : end.answer->calls) call.name = names_.from_wire(call.name);
      return succeeded(*end.answer);
    }
    failure = std::move(end.failure);
  } else {
    failure =
        classify(result.status, result.headers, error_body_, result.end, result.detail, now_ms);
  }
  ProviderResult out;
  out.outcome = failure.outcome;
  out.failure = failure.failure;
  out.detail = std::move(failure.detail);
  out.retry_after_ms = failure.retry_after_ms;
  out.used = used_without_answer(failure.outcome);
  return out;
}

}  // namespace perdure
