#include "base/http_header.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace perdure {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// What the transport decides: a second value would make the message ambiguous to its reader, or
// would let libcurl send it again (Expect).
constexpr std::string_view kOwnHeaders[] = {
    "host", "content-length", "transfer-encoding", "connection", "expect",
    "te",   "trailer",        "upgrade",           "keep-alive", "proxy-connection"};

}  // namespace

Status check_http_header(std::string_view name, std::string_view value) {
  if (!is_token(name)) return fail(Code::kInvalid, "the name of a header is not a token");
  const std::string small = lower_case(name);
  if (std::find(std::begin(kOwnHeaders), std::end(kOwnHeaders), small) != std::end(kOwnHeaders)) {
    return fail(Code::kInvalid, fmt::format("the header '{}' is the transport's own", small));
  }
  const auto bad = [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7F; };
  if (std::any_of(value.begin(), value.end(), bad)) {
    return fail(Code::kInvalid, fmt::format("the header '{}' holds a control character", small));
  }
  return {};
}

}  // namespace perdure
