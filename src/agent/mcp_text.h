#pragma once
// What a model is shown of a result that a tool server gave: the text itself, and not JSON that
// holds it. The journal keeps what came.
#include <optional>
#include <string>
#include <string_view>

namespace perdure {

// Nothing if `result` is not {"content": [blocks], "structuredContent"?: value}. Texts are joined
// by line breaks; other blocks are named, as [image/png, 5120 bytes]. What is structured is shown
// unless a text says the same.
std::optional<std::string> mcp_text(std::string_view result);

}  // namespace perdure
