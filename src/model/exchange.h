#pragma once
// One exchange with a provider: everything between the first byte of the answer and the result.
// Used live and in replay alike.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "model/codec.h"
#include "model/provider.h"
#include "model/tool_names.h"

namespace perdure {

class Exchange {
 public:
  Exchange(const Codec& codec, const ProviderCall& call, const ModelConfig& config,
           ReaderEvents events);

  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void on_body(int status, std::string_view bytes);
  // Once. `result` is the transport's; its body is read if on_body was never called.
  ProviderResult finish(const HttpResult& result, int64_t now_ms);

 private:
  AnswerOrFailure read_end(const HttpResult& result, int64_t now_ms);
  CallFailure as_it_goes_on(CallFailure failure, const HttpResult& result) const;
  ProviderResult succeeded(ModelAnswer answer) const;

  const Codec& codec_;
  ToolNames names_;
  ModelPrice price_;
  std::unique_ptr<AnswerReader> reader_;
  std::string error_body_;  // its beginning, when the status tells an error
  bool has_body_ = false;
  const bool fetches_;
  bool known_there_;  // the provider works on under a name when the connection ends
};

}  // namespace perdure
