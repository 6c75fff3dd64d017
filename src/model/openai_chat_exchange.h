#pragma once
// One exchange with the Chat Completions API: everything between the first byte of the answer and
// the result. Used live and in replay alike.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "model/openai_chat_request.h"
#include "model/openai_chat_stream.h"
#include "model/provider.h"

namespace perdure {

class OpenAiChatExchange {
 public:
  OpenAiChatExchange(const ModelRequest& request, const ModelConfig& config,
                     std::function<void(std::string_view)> on_delta);

  void on_body(int status, std::string_view bytes);
  // Once. `result` is the transport's; its body is read if on_body was never called.
  ProviderResult finish(const HttpResult& result, int64_t now_ms);

 private:
  ProviderResult succeeded(const ModelAnswer& answer) const;

  ToolNames names_;
  ModelPrice price_;
  OpenAiChatStream stream_;
  std::string error_body_;  // its beginning, when the status tells an error
  bool has_body_ = false;
};

}  // namespace perdure
