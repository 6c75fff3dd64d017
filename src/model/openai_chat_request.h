#pragma once
// A request in OpenAI's Chat Completions format:
// https://platform.openai.com/docs/api-reference/chat/create
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "journal/message.h"
#include "model/model_config.h"

namespace perdure {

// The wire allows [A-Za-z0-9_-]{1,64} in a tool's name; ours may hold dots. Other bytes become '_'
// ('.' two of them), and two tools never share a wire name. A function of the list of tools alone.
class ToolNames {
 public:
  explicit ToolNames(const std::vector<ToolDeclaration>& tools);
  // Also of a tool that is not offered any more and stands in the history.
  std::string to_wire(std::string_view name) const;
  // A name that no tool has comes back as it is: the model made it up.
  std::string from_wire(std::string_view wire) const;

 private:
  std::map<std::string, std::string, std::less<>> to_wire_;
  std::map<std::string, std::string, std::less<>> from_wire_;
};

// The body. Equal arguments give equal bytes, in every version of this program: what is sent again
// after a crash is what was sent before. Arguments of tool calls and input schemas are kept byte by
// byte (schemas must be JSON). Text that is not UTF-8 is sent with U+FFFD in the place of each bad
// byte. `is_error` of a tool message has no place on this wire: its text must say so.
std::string encode_request(const ModelRequest& request, const ModelConfig& config);

// What encode_request writes as the limit.
int64_t max_output_tokens(const ModelRequest& request, const ModelConfig& config);

}  // namespace perdure
