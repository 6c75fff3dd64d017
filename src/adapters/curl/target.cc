#include "adapters/curl/target.h"

#include <curl/curl.h>

#include <algorithm>

namespace perdure {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool may_stand_in_url(char c) {
  return c > 0x20 && c < 0x7F && c != '\\';
}

bool may_stand_in_authority(char c) {
  return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
}

Status check_text(std::string_view url) {
  if (url.size() > kUrlMaxBytes) return fail(Code::kInvalid, "the URL is too long");
  if (!std::all_of(url.begin(), url.end(), may_stand_in_url)) {
    return fail(Code::kInvalid, "the URL holds a character that must be percent-encoded");
  }
  size_t start = 0;
  if (url.starts_with("http://")) start = 7;
  if (url.starts_with("https://")) start = 8;
  if (start == 0) return fail(Code::kInvalid, "the URL must begin with http:// or https://");
  const std::string_view authority =
      url.substr(start, std::min(url.find_first_of("/?#", start), url.size()) - start);
  if (authority.empty()) return fail(Code::kInvalid, "the URL has no host");
  if (authority.find('@') != std::string_view::npos) {
    return fail(Code::kInvalid, "the URL must not hold a user name or a password");
  }
  if (!std::all_of(authority.begin(), authority.end(), may_stand_in_authority)) {
    return fail(Code::kInvalid, "the host of the URL holds a character that is not allowed");
  }
  return {};
}

std::string part(CURLU* url, CURLUPart which, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

void Target::Free::operator()(Curl_URL* url) const {
  curl_url_cleanup(url);
}

Result<Target> Target::parse(std::string_view url) {
  TRY_STATUS(check_text(url));
  Target target;
  target.handle_.reset(curl_url());
  const CURLUcode code = curl_url_set(target.handle(), CURLUPART_URL, std::string(url).c_str(),
                                      CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);
  if (code != CURLUE_OK) {
    return fail(Code::kInvalid, std::string("the URL cannot be read: ") + curl_url_strerror(code));
  }
  target.place_ = part(target.handle(), CURLUPART_HOST, 0) + ":" +
                  part(target.handle(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  return target;
}

}  // namespace perdure
