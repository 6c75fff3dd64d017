#include "model/replay_provider.h"

#include <fmt/core.h>

#include <algorithm>

#include "model/exchange.h"
#include "model/json_text.h"

namespace perdure {
namespace {

constexpr size_t kContextBytes = 40;

std::string quoted(std::string_view text, size_t at) {
  const size_t from = at > kContextBytes ? at - kContextBytes : 0;
  std::string out;
  put_json_string(out, text.substr(from, at - from + kContextBytes));
  return out;
}

ProviderResult refused(std::string why) {
  ProviderResult out;
  out.outcome = Outcome::kFailed;
  out.failure = FailureClass::kInvalid;
  out.detail = std::move(why);
  out.used = Usage{};
  return out;
}

}  // namespace

std::string describe_difference(std::string_view recorded, std::string_view now) {
  const auto [r, n] = std::mismatch(recorded.begin(), recorded.end(), now.begin(), now.end());
  const auto at = static_cast<size_t>(r - recorded.begin());
  return fmt::format("first difference at byte {}: recorded {}, now {}", at, quoted(recorded, at),
                     quoted(now, at));
}

ReplayProvider::ReplayProvider(ModelConfig config, std::vector<RecordedExchange> exchanges)
    : config_(std::move(config)),
      codec_(codec_of(config_.provider)),
      exchanges_(std::move(exchanges)),
      used_(exchanges_.size(), false) {}

const RecordedExchange* ReplayProvider::take(const std::string& request, std::string& why) {
  const std::lock_guard lock(mutex_);
  const RecordedExchange* next = nullptr;
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    if (used_[i]) continue;
    if (exchanges_[i].request == request) {
      used_[i] = true;
      return &exchanges_[i];
    }
    if (next == nullptr) next = &exchanges_[i];
  }
  why = next == nullptr
            ? fmt::format("all {} recorded exchanges are used", exchanges_.size())
            : "the request is not the recorded one: " + describe_difference(next->request, request);
  return nullptr;
}

Provider::CallId ReplayProvider::call(ProviderCall call, ProviderCallbacks callbacks) {
  std::string why;
  const Result<WireRequest> wire = call.provider_id.empty()
                                       ? codec_.encode(call.request, config_)
                                       : codec_.encode_fetch(call.provider_id, call.as_it_stands);
  const RecordedExchange* found = nullptr;
  if (wire) {
    found = take(recorded_form(*wire), why);
  } else {
    why = wire.error().message;
  }
  if (found == nullptr) {
    callbacks.on_done(refused("replay: " + why));
    return 0;
  }
  Exchange exchange(codec_, call, config_,
                    {std::move(callbacks.on_delta), std::move(callbacks.on_provider_id)});
  for (const std::string& chunk : found->chunks) exchange.on_body(found->result.status, chunk);
  callbacks.on_done(exchange.finish(found->result, 0));
  return 0;
}

void ReplayProvider::cancel(CallId) {}

size_t ReplayProvider::unused() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count(used_.begin(), used_.end(), false));
}

}  // namespace perdure
