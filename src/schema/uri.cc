#include "schema/uri.h"

namespace perdure::schema {
namespace {

struct Parts {
  std::string_view scheme;     // with its ':'
  std::string_view authority;  // with its "//"
  std::string_view path;
  std::string_view query;     // with its '?'
  std::string_view fragment;  // with its '#'
};

bool is_scheme(std::string_view word) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !word.empty() && kLetters.find(word[0]) != std::string_view::npos &&
         word.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") ==
             std::string_view::npos;
}

// The end of `text` from `at` on is cut off and returned.
std::string_view cut(std::string_view& text, size_t at) {
  if (at >= text.size()) return {};
  const std::string_view tail = text.substr(at);
  text = text.substr(0, at);
  return tail;
}

Parts split(std::string_view uri) {
  Parts parts;
  parts.fragment = cut(uri, uri.find('#'));
  parts.query = cut(uri, uri.find('?'));
  const size_t colon = uri.find(':');
  if (colon != std::string_view::npos && is_scheme(uri.substr(0, colon))) {
    parts.scheme = uri.substr(0, colon + 1);
    uri.remove_prefix(colon + 1);
  }
  if (uri.starts_with("//")) {
    const size_t end = uri.find('/', 2);
    parts.authority = uri.substr(0, end);
    uri = end == std::string_view::npos ? std::string_view() : uri.substr(end);
  }
  parts.path = uri;
  return parts;
}

// RFC 3986, 5.2.4.
std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const size_t end = path.find('/', 1);
    const std::string_view segment = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
    const bool last = path.empty();
    if (segment == "/." || segment == ".") {
      if (last && segment == "/.") out += '/';
    } else if (segment == "/..") {
      const size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
      if (last) out += '/';
    } else if (segment != "..") {
      out += segment;
    }
  }
  return out;
}

std::string merged(const Parts& base, std::string_view path) {
  if (!base.authority.empty() && base.path.empty()) return "/" + std::string(path);
  const size_t slash = base.path.rfind('/');
  const auto folder =
      slash == std::string_view::npos ? std::string_view() : base.path.substr(0, slash + 1);
  return std::string(folder) + std::string(path);
}

std::string join(std::initializer_list<std::string_view> pieces) {
  std::string out;
  for (const std::string_view piece : pieces) out += piece;
  return out;
}

}  // namespace

std::string resolve_uri(std::string_view base, std::string_view reference) {
  const Parts to = split(reference);
  if (!to.scheme.empty()) return std::string(reference);
  const Parts from = split(base);
  if (!to.authority.empty()) {
    return join({from.scheme, to.authority, without_dots(to.path), to.query, to.fragment});
  }
  if (to.path.empty()) {
    return join({from.scheme, from.authority, from.path, to.query.empty() ? from.query : to.query,
                 to.fragment});
  }
  const std::string path =
      without_dots(to.path.starts_with('/') ? std::string(to.path) : merged(from, to.path));
  return join({from.scheme, from.authority, path, to.query, to.fragment});
}

SplitUri split_fragment(std::string_view uri) {
  const size_t hash = uri.find('#');
  if (hash == std::string_view::npos) return {uri, {}};
  return {uri.substr(0, hash), uri.substr(hash + 1)};
}

}  // namespace perdure::schema
