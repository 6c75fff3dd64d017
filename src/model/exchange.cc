#include "model/exchange.h"

#include "journal/message_json.h"
#include "journal/price.h"

namespace perdure {
namespace {

bool is_success(int status) {
  return status >= 200 && status < 300;
}

Usage usage_of(const TokenCounts& tokens, const ModelPrice& price) {
  return {.cost_micro_usd = cost(price, tokens),
          .model_calls = 1,
          .input_tokens = tokens.input,
          .output_tokens = tokens.output};
}

// What a call without an answer used. Absent means unknown: it may have been computed, as that of
// a fetch was, or has been in part. An error before any part of the answer is what its status would
// have said.
std::optional<Usage> used_without_answer(const CallFailure& failure, int status,
                                         const ModelPrice& price) {
  const bool refused = status_refuses_work(status) || failure.refused_work;
  if (failure.had_output) return std::nullopt;
  if (failure.outcome == Outcome::kInDoubt && !refused) return std::nullopt;
  if (failure.counted) return usage_of(*failure.counted, price);
  Usage used;
  if (failure.outcome == Outcome::kFailed) used.model_calls = 1;
  return used;
}

// The head alone tells a refusal, even when the body was cut.
bool is_refused(const HttpResult& result) {
  return result.status >= 300 && result.end != HttpResult::End::kNotSent;
}

CallFailure fetched_later(CallFailure failure) {
  failure.outcome = Outcome::kDeferred;
  failure.had_output = false;  // the fetch brings it all
  if (failure.failure != FailureClass::kRateLimit) failure.failure = FailureClass::kContinue;
  failure.detail += "; the provider works on, and its answer will be fetched";
  return failure;
}

}  // namespace

Exchange::Exchange(const Codec& codec, const ProviderCall& call, const ModelConfig& config,
                   ReaderEvents events)
    : codec_(codec),
      names_(call.request.tools),
      price_(config.price),
      fetches_(!call.provider_id.empty()),
      known_there_(fetches_) {
  events.on_response_id = [this, note = std::move(events.on_response_id)](std::string_view id) {
    known_there_ = true;
    if (note && !fetches_) note(id);
  };
  if (call.as_it_stands) events.on_response_id = nullptr;  // what it says now holds
  reader_ = codec.reader(call.request, config, std::move(events));
}

void Exchange::on_body(int status, std::string_view bytes) {
  has_body_ = true;
  if (is_success(status)) {
    reader_->feed(bytes);
  } else if (error_body_.size() < kErrorBodyMaxBytes) {
    error_body_ += bytes.substr(0, kErrorBodyMaxBytes - error_body_.size());
  }
}

ProviderResult Exchange::succeeded(ModelAnswer answer) const {
  for (ToolCall& call : answer.calls) call.name = names_.from_wire(call.name);
  ProviderResult out;
  out.outcome = Outcome::kSucceeded;
  if (answer.input_tokens >= 0 && answer.output_tokens >= 0) {
    out.used = usage_of(tokens_of(answer), price_);
  }
  out.answer = answer_to_json(answer);
  return out;
}

// An answer that is only cut off from us is asked for again, and nothing else is.
CallFailure Exchange::as_it_goes_on(CallFailure failure, const HttpResult& result) const {
  if (!known_there_ || failure.outcome == Outcome::kNotSent) return failure;
  // A wrong key, or whatever it is, is of the question: it says nothing of the answer.
  if (!is_success(result.status)) return fetched_later(std::move(failure));
  // It was taken on, and nobody saw how much of it was done before it failed.
  if (failure.failure == FailureClass::kTransient) failure.refused_work = false;
  const bool put_off = failure.outcome == Outcome::kDeferred;
  if (put_off && failure.failure != FailureClass::kContinue) {
    failure.outcome = Outcome::kInDoubt;  // it failed there: there is nothing to fetch
    failure.refused_work = true;
  }
  const bool cut_off =
      failure.outcome == Outcome::kInDoubt && failure.failure == FailureClass::kAmbiguous;
  return cut_off ? fetched_later(std::move(failure)) : failure;
}

AnswerOrFailure Exchange::read_end(const HttpResult& result, int64_t now_ms) {
  const AnswerEnd end{result.end, result.detail, result.headers, now_ms};
  if (is_success(result.status)) {
    AnswerOrFailure read = reader_->finish(end);
    if (!read.answer) read.failure = as_it_goes_on(std::move(read.failure), result);
    return read;
  }
  if (!is_refused(result)) {
    return {{}, as_it_goes_on(ended_early(end.end, end.detail), result)};
  }
  CallFailure failure = codec_.classify(result.status, error_body_, end);
  if (result.status < 400) failure.detail += ": redirects are not followed; check base_url";
  if (fetches_ && result.status == 404) {
    failure.failure = FailureClass::kAmbiguous;
    failure.outcome = Outcome::kInDoubt;
    failure.detail += "; the provider no longer has the answer";
    return {{}, std::move(failure)};
  }
  return {{}, as_it_goes_on(std::move(failure), result)};
}

ProviderResult Exchange::finish(const HttpResult& result, int64_t now_ms) {
  if (!has_body_ && !result.body.empty()) on_body(result.status, result.body);
  AnswerOrFailure end = read_end(result, now_ms);
  if (end.answer) return succeeded(*std::move(end.answer));
  const bool put_off = end.failure.outcome == Outcome::kDeferred;
  if (put_off && end.failure.had_output) end.failure.outcome = Outcome::kInDoubt;
  ProviderResult out;
  if (!fetches_) out.used = used_without_answer(end.failure, result.status, price_);
  out.outcome = end.failure.outcome;
  out.failure = end.failure.failure;
  out.detail = std::move(end.failure.detail);
  out.retry_after_ms = end.failure.retry_after_ms;
  // What may be paid for is not asked for as patiently as what was refused.
  const bool may_be_paid = out.outcome == Outcome::kInDoubt && (!out.used || end.failure.counted);
  if (may_be_paid && out.failure == FailureClass::kTransient) {
    out.failure = FailureClass::kAmbiguous;
  }
  return out;
}

}  // namespace perdure
