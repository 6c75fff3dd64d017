#pragma once
// A provider's dialect as a pure codec: a request becomes bytes, bytes become an answer or a
// failure. No I/O, no clock, and no secret outlives a call. What sends, records and replays is the
// same for every dialect: HttpProvider and ReplayProvider.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/message.h"
#include "model/call_failure.h"
#include "model/model_config.h"

namespace perdure {

struct WireRequest {
  std::string method = "POST";
  std::string path;     // behind base_url, with its '/' and its query
  HttpHeaders headers;  // no credential
  std::string body;
};

struct ReaderEvents {
  std::function<void(std::string_view text)> on_delta = nullptr;  // optional
  // Optional: the provider works on under this id when the connection ends, and can be asked for
  // it. At most once, before any text.
  std::function<void(std::string_view id)> on_response_id = nullptr;
};

// How the transport saw the end of an answer.
struct AnswerEnd {
  HttpResult::End end = HttpResult::End::kComplete;
  std::string_view detail = {};
  const HttpHeaders& headers;
  int64_t now_ms = 0;
};

// Exactly one of them holds.
struct AnswerOrFailure {
  std::optional<ModelAnswer> answer;
  CallFailure failure;
};

// Reads the body of one answer whose status tells success.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;
  // The next bytes, at any split.
  virtual void feed(std::string_view bytes) = 0;
  // Once, after the last byte. What was cut is no answer.
  virtual AnswerOrFailure finish(const AnswerEnd& end) = 0;
};

class Codec {
 public:
  virtual ~Codec() = default;

  // Names the dialect in the operator's file, in the journal and in recordings.
  virtual std::string_view name() const = 0;
  // Where its provider is; empty: the operator says. "{region}" in it stands for that of
  // [models.NAME.aws].
  virtual std::string_view default_base_url() const { return {}; }
  // Members of the body that it writes itself ("a.b": b of the member a); ModelConfig::extra may
  // not name them.
  virtual std::span<const std::string_view> own_members() const = 0;

  // Equal arguments give equal bytes, in every version of this program: what is sent again after a
  // crash is what was sent before, and the provider's cache of prefixes holds.
  virtual WireRequest encode(const ModelRequest& request, const ModelConfig& config) const = 0;
  // Asks for the answer that its provider has under this id (ReaderEvents::on_response_id), as a
  // stream or as it stands.
  virtual Result<WireRequest> encode_fetch(std::string_view id, bool as_it_stands) const;
  // Names the secrets that a call needs; none: no credential is sent.
  virtual std::vector<std::string> secret_references(const ModelConfig& config) const {
    if (config.key.empty()) return {};
    return {config.key};
  }
  // With the values of secret_references, in their order, at least one. For a dialect that has only
  // a key it is `authorize`.
  virtual Status authorize_with(WireRequest& request, std::string_view url,
                                std::span<const std::string> secrets, const ModelConfig& config,
                                int64_t now_ms) const {
    return authorize(request, url, secrets.front(), config, now_ms);
  }
  // Adds what proves who we are: a bearer token, unless a dialect has its own way. `secret` is not
  // empty and may stand in a header. `url` is the whole one; `now_ms` is for dialects that sign the
  // time.
  virtual Status authorize(WireRequest& request, std::string_view url, std::string_view secret,
                           const ModelConfig& config, int64_t now_ms) const;

  virtual std::unique_ptr<AnswerReader> reader(const ModelRequest& request,
                                               const ModelConfig& config,
                                               ReaderEvents events) const = 0;
  // A refusal: the status is 300 or more. `body` may be only its beginning.
  virtual CallFailure classify(int status, std::string_view body, const AnswerEnd& end) const = 0;
};

// Lives as long as the program.
const Codec& codec_of(ModelConfig::Provider provider);

}  // namespace perdure
