#include "base/secrets.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace perdure {
namespace {

constexpr std::string_view kOpen = "{{secret:";
constexpr std::string_view kClose = "}}";

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) {
    return fail(Code::kNotFound, fmt::format("the secret file '{}' cannot be opened", path));
  }
  std::string value(kSecretMaxBytes + 1, '\0');
  value.resize(std::fread(value.data(), 1, value.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return fail(Code::kNotFound, fmt::format("the secret file '{}' cannot be read", path));
  }
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  return value;
}

}  // namespace

Result<std::string> read_secret(std::string_view source) {
  if (source.starts_with("env:")) {
    const std::string name(source.substr(4));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
      return fail(Code::kNotFound, fmt::format("the environment variable '{}' is not set", name));
    }
    return std::string(value);
  }
  if (source.starts_with("file:")) return read_file(std::string(source.substr(5)));
  // Not quoted: somebody may have written the secret itself here.
  return fail(Code::kInvalid, "a secret is named as \"env:NAME\" or \"file:PATH\"");
}

Status Secrets::add(std::string name, std::string value) {
  if (!is_name(name)) return fail(Code::kInvalid, fmt::format("'{}' cannot name a secret", name));
  if (value.size() < kSecretMinBytes || value.size() > kSecretMaxBytes) {
    return fail(Code::kInvalid, fmt::format("the secret '{}' has {} bytes; {} to {} are needed, so "
                                            "that it can be masked wherever it is echoed",
                                            name, value.size(), kSecretMinBytes, kSecretMaxBytes));
  }
  values_.insert_or_assign(std::move(name), std::move(value));
  return {};
}

Status Secrets::add_from(std::string name, std::string_view source) {
  TRY_ASSIGN(std::string value, read_secret(source));
  return add(std::move(name), std::move(value));
}

const std::string* Secrets::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

Result<std::string> Secrets::fill(std::string_view text) const {
  std::string filled;
  while (true) {
    const size_t open = text.find(kOpen);
    filled += text.substr(0, open);
    if (open == std::string_view::npos) return filled;
    text.remove_prefix(open + kOpen.size());
    const size_t close = text.find(kClose);
    const std::string_view name = text.substr(0, close);
    if (close == std::string_view::npos || !is_name(name)) {
      return fail(Code::kInvalid, "a text begins {{secret: and does not go on with a name and }}");
    }
    const std::string* value = find(name);
    if (value == nullptr) {
      return fail(Code::kNotFound, fmt::format("the secret '{}' is not configured", name));
    }
    filled += *value;
    text.remove_prefix(close + kClose.size());
  }
}

Masker Secrets::masker() const {
  Masker masker;
  for (const auto& [name, value] : values_) masker.add(name, value);
  return masker;
}

}  // namespace perdure
