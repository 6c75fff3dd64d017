#pragma once
// Secret values by name. Configuration says "env:NAME" or "file:PATH"; texts say {{secret:NAME}}.
// A value never stands in an error.
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/mask.h"

namespace perdure {

inline constexpr size_t kSecretMaxBytes = 64 * 1024;

// Reads "env:NAME" or "file:PATH" (without the line's end that follows the value).
Result<std::string> read_secret(std::string_view source);

class Secrets {
 public:
  // `name`: letters, digits, '_', '-', '.'. The value is checked: not shorter than can be masked.
  Status add(std::string name, std::string value);
  Status add_from(std::string name, std::string_view source);

  const std::string* find(std::string_view name) const;
  const std::map<std::string, std::string, std::less<>>& values() const { return values_; }
  // `text` with every {{secret:NAME}} replaced; an error names the secret that is missing.
  Result<std::string> fill(std::string_view text) const;
  Masker masker() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace perdure
