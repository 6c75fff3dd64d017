#pragma once
// Keeps known secret values out of what is stored and out of what a model reads. A value is found
// in the forms in which a receiver may echo it: plain, base 64 (also inside a longer text, such as
// "user:secret"), hex, percent-encoded, and escaped as JSON once or twice.
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

namespace perdure {

// A shorter value would be found in ordinary text.
inline constexpr size_t kSecretMinBytes = 8;

// Built once, then only read: thread-safe after the last `add`.
class Masker {
 public:
  // What stands for it is "{{secret:NAME}}". `value` has at least kSecretMinBytes.
  void add(std::string_view name, std::string_view value);

  std::string mask(std::string text) const;
  // For a text that was cut off: a secret that was cut in two is dropped from its end.
  std::string mask_cut(std::string text) const;

 private:
  struct Form {
    std::string text;
    std::string mark;
  };
  const Form* form_at(std::string_view rest) const;

  std::vector<Form> forms_;         // longer ones first
  std::bitset<65536> first_bytes_;  // the two bytes with which a form begins
};

}  // namespace perdure
