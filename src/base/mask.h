#pragma once
// Keeps known secret values out of what is stored and out of what a model reads. A value is found
// in the forms in which a receiver may echo it: plain, base 64 (also inside a longer text, such as
// "user:secret"), hex, percent-encoded, and escaped as JSON once or twice.
#include <bitset>
#include <cstddef>
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

  bool is_empty() const { return forms_.empty(); }

 private:
  friend class StreamMasker;
  struct Form {
    std::string text;
    std::string mark;
  };
  const Form* form_at(std::string_view rest) const;
  bool may_begin_form(std::string_view rest) const;  // more text would tell

  std::vector<Form> forms_;         // longer ones first
  std::bitset<65536> first_bytes_;  // the two bytes with which a form begins
};

// Masks a text that comes in pieces: what may be the beginning of a secret is held back until more
// of it is known. `masker` outlives it.
class StreamMasker {
 public:
  explicit StreamMasker(const Masker& masker) : masker_(masker) {}

  // What can be shown by now.
  std::string feed(std::string_view piece);
  // What was held back at the end of the text.
  std::string end();

 private:
  const Masker& masker_;
  std::string held_;
};

}  // namespace perdure
