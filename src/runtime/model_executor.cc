#include "runtime/model_executor.h"

#include <fmt/core.h>

#include <memory>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace perdure::runtime {
namespace {

// Most fetches are streams, which wait for the answer. A stream may break for ever, though, so
// every third asks for the answer as it stands.
constexpr uint32_t kStandsEvery = 3;

SettleStep outcome_of(const CallRequest& request, ProviderResult result) {
  SettleStep settle;
  settle.step = request.send.step;
  settle.attempt = request.send.attempt;
  settle.outcome = result.outcome;
  settle.failure = result.failure;
  settle.detail = std::move(result.detail);
  settle.retry_after_ms = result.retry_after_ms;
  settle.used = result.used;
  if (!result.answer.empty()) settle.result = Payload::of(std::move(result.answer));
  return settle;
}

SettleStep never_sent(const CallRequest& request, const Error& error) {
  ProviderResult result;
  // Trying again helps if the trouble is ours and may pass.
  const bool passing = error.code == Code::kUnavailable || error.code == Code::kInternal ||
                       error.code == Code::kExhausted || error.code == Code::kCancelled;
  result.outcome = passing ? Outcome::kNotSent : Outcome::kFailed;
  result.failure = passing ? FailureClass::kTransient : FailureClass::kInvalid;
  result.detail = "the request was not sent: " + error.message;
  // A fetch that can never be made gives up an answer that is paid for.
  if (request.send.provider_id.empty()) result.used = Usage{};
  return outcome_of(request, std::move(result));
}

Error unwanted() {
  return {Code::kCancelled, "its outcome is no longer wanted"};
}

Result<Message> message_of(const json::value& item) {
  ObjectReader in(item, "messages");
  Message message;
  message.role =
      in.choice("role", {"user", "system"}, 0) == 1 ? Message::Role::kSystem : Message::Role::kUser;
  message.text = in.string("content");
  TRY_STATUS(in.finish());
  return message;
}

Result<ModelRequest> plain_request(ObjectReader& in) {
  ModelRequest request;
  const json::array* messages = in.array("messages");
  if (messages == nullptr || messages->empty()) {
    return fail(Code::kInvalid, "a model call needs 'messages', or the context of an agent");
  }
  for (const json::value& item : *messages) {
    TRY_ASSIGN(Message message, message_of(item));
    request.messages.push_back(std::move(message));
  }
  return request;
}

}  // namespace

ModelExecutor::ModelExecutor(const Providers& providers, const BucketNames& bucket_names,
                             RateBuckets& buckets, AgentVersions& versions,
                             Transcripts& transcripts, Masker masker, Spawn spawn, OnDelta on_delta)
    : providers_(providers),
      bucket_names_(bucket_names),
      buckets_(buckets),
      versions_(versions),
      transcripts_(transcripts),
      masker_(std::move(masker)),
      spawn_(std::move(spawn)),
      on_delta_(std::move(on_delta)) {}

Result<ModelRequest> ModelExecutor::render(const CallRequest& request) {
  TRY_ASSIGN(const json::value args,
             parse_json(request.send.args.view(), "arguments of a model call"));
  ObjectReader in(args, "arguments of a model call");
  const Seq context_seq = static_cast<Seq>(in.integer("context_seq", 0, INT64_MAX, 0));
  const std::string expected = in.string("conversation_sha256", "");
  const int64_t output_max = in.integer("max_output_tokens", 0, INT64_MAX, 0);
  ModelRequest rendered;
  if (context_seq == 0) {
    TRY_ASSIGN(rendered, plain_request(in));
  } else {
    TRY_ASSIGN(const auto spec, versions_.spec(request.agent_version));
    TRY_ASSIGN(const auto transcript,
               transcripts_.at(request.task, request.tenant, *spec, context_seq, {}));
    if (to_hex(transcript->conversation_hash().view()) != expected) {
      return fail(Code::kInvalid,
                  "the conversation is not the one that was planned: this binary reads the journal "
                  "differently than the one that wrote it");
    }
    rendered = transcript->request(*spec);
  }
  TRY_STATUS(in.finish());
  if (output_max > 0) rendered.max_output_tokens = output_max;
  return rendered;
}

void ModelExecutor::start(CallRequest request, Done done) {
  {
    const std::lock_guard lock(mutex_);
    running_[{request.task, request.send.step}] = {};
  }
  spawn_([this, request = std::move(request), done = std::move(done)] { run(request, done); });
}

void ModelExecutor::run(const CallRequest& request, const Done& done) {
  if (!providers_.contains(request.send.name)) {
    return give_up(request, done,
                   {Code::kInvalid, fmt::format("there is no model '{}'", request.send.name)});
  }
  if (is_unwanted(request)) return give_up(request, done, unwanted());
  // A fetch asks for what the provider already works on, and is no new call.
  if (!request.send.provider_id.empty()) return send(request, done);
  const auto held_back = [this, request, done](ProviderResult result) {
    if (is_unwanted(request)) return give_up(request, done, unwanted());
    end(request);
    done(outcome_of(request, std::move(result)));
  };
  // Whoever gives it its turn is not to render a prompt.
  const auto self = std::this_thread::get_id();
  const auto go = [this, request, done, self] {
    if (std::this_thread::get_id() == self) return send(request, done);
    spawn_([this, request, done] { send(request, done); });
  };
  buckets_.ask(
      bucket(request),
      {request.tenant, {request.task, request.send.step}, request.send.mended_ms, go, held_back});
}

void ModelExecutor::give_up(const CallRequest& request, const Done& done, const Error& why) {
  end(request);
  done(never_sent(request, why));
}

void ModelExecutor::send(const CallRequest& request, const Done& done) {
  if (is_unwanted(request)) return give_up(request, done, unwanted());
  auto rendered = render(request);
  if (!rendered) return give_up(request, done, rendered.error());
  call(request, std::move(*rendered), done);
}

const std::string& ModelExecutor::bucket(const CallRequest& request) const {
  const auto found = bucket_names_.find(request.send.name);
  return found != bucket_names_.end() ? found->second : request.send.name;
}

void ModelExecutor::call(const CallRequest& request, ModelRequest rendered, const Done& done) {
  Provider& provider = *providers_.at(request.send.name);
  ProviderCallbacks callbacks;
  const auto tell = [this, task = request.task, step = request.send.step,
                     attempt = request.send.attempt](const std::string& text) {
    if (on_delta_ && !text.empty()) on_delta_(task, step, attempt, text);
  };
  const auto stream = std::make_shared<StreamMasker>(masker_);
  if (on_delta_) {
    callbacks.on_delta = [tell, stream](std::string_view text) { tell(stream->feed(text)); };
  }
  callbacks.on_provider_id = [note = request.on_provider_id](std::string_view id) {
    if (note) note(std::string(id));
  };
  callbacks.on_done = [this, tell, stream, request, done,
                       sent_ms = buckets_.now_ms()](ProviderResult result) {
    tell(stream->end());
    end(request);
    buckets_.note(bucket(request), result, sent_ms);
    result.answer = masker_.mask(std::move(result.answer));
    result.detail = masker_.mask(std::move(result.detail));
    // All tasks of this model suffer, until its operator does something.
    if (result.failure == FailureClass::kAuth || result.failure == FailureClass::kQuota) {
      log(LogLevel::kWarn, "model.refused",
          {{"model", request.send.name},
           {"failure", std::string(to_string(result.failure))},
           {"why", result.detail}});
    }
    done(outcome_of(request, std::move(result)));
  };
  const bool fetches = !request.send.provider_id.empty();
  const Provider::CallId id =
      provider.call({std::move(rendered), request.send.not_after_ms, request.send.provider_id,
                     fetches && request.send.attempt % kStandsEvery == 0, request.tenant},
                    std::move(callbacks));
  bool unwanted = false;
  {
    const std::lock_guard lock(mutex_);
    // It may have ended before `call` returned.
    const auto found = running_.find({request.task, request.send.step});
    if (found == running_.end()) return;
    unwanted = found->second.unwanted;
    found->second = {&provider, id, unwanted};
  }
  if (unwanted) provider.cancel(id);
}

bool ModelExecutor::is_unwanted(const CallRequest& request) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find({request.task, request.send.step});
  return found != running_.end() && found->second.unwanted;
}

void ModelExecutor::end(const CallRequest& request) {
  const std::lock_guard lock(mutex_);
  running_.erase({request.task, request.send.step});
}

void ModelExecutor::abort(const TaskId& task, const StepId& step) {
  Running running;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find({task, step});
    if (found == running_.end()) return;
    found->second.unwanted = true;
    running = found->second;
  }
  if (buckets_.leave({task, step})) return;
  if (running.provider != nullptr) running.provider->cancel(running.call);
}

}  // namespace perdure::runtime
