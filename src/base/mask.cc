#include "base/mask.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/base64.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kCutMinBytes = 4;  // fewer bytes of a secret tell nothing

size_t first_two(std::string_view text) {
  return static_cast<uint8_t>(text[0]) << 8 | static_cast<uint8_t>(text[1]);
}

std::string percent_encoded(std::string_view value, std::string_view kept, const char* digits,
                            bool plus) {
  std::string text;
  for (const char c : value) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alnum || kept.find(c) != std::string_view::npos) {
      text += c;
    } else if (c == ' ' && plus) {
      text += '+';
    } else {
      text += '%';
      text += digits[static_cast<uint8_t>(c) >> 4];
      text += digits[static_cast<uint8_t>(c) & 15];
    }
  }
  return text;
}

// The letters that depend on `value` alone when it stands `before` bytes behind the start of a
// group.
std::string base64_inside(std::string_view value, size_t before, Base64 alphabet) {
  const std::string text = to_base64(std::string(before, '\0') + std::string(value), alphabet);
  const size_t first = before == 0 ? 0 : before + 1;
  const size_t whole = (before + value.size()) * 8 / 6;
  return text.substr(first, whole - first);
}

std::string json_escaped(std::string_view value) {
  const std::string quoted = boost::json::serialize(boost::json::string(value));
  return quoted.substr(1, quoted.size() - 2);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// Some writers of JSON escape everything beyond ASCII. `value` is valid UTF-8.
std::string json_escaped_to_ascii(std::string_view value, bool upper) {
  std::string text;
  const auto unit = [&](uint32_t u) {
    text += upper ? fmt::format("\\u{:04X}", u) : fmt::format("\\u{:04x}", u);
  };
  for (size_t i = 0; i < value.size();) {
    const auto lead = static_cast<uint8_t>(value[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 1) {
      text += json_escaped(value.substr(i, 1));
    } else {
      uint32_t point = lead & (0xFFu >> (length + 1));
      for (size_t k = 1; k < length; ++k) {
        point = point << 6 | (static_cast<uint8_t>(value[i + k]) & 0x3F);
      }
      if (point >= 0x10000) {
        unit(0xD800 + ((point - 0x10000) >> 10));
        unit(0xDC00 + ((point - 0x10000) & 0x3FF));
      } else {
        unit(point);
      }
    }
    i += length;
  }
  return text;
}

std::set<std::string> forms_of(std::string_view value) {
  std::set<std::string> forms{std::string(value)};
  const std::string hex = to_hex(value);
  forms.insert(hex);
  std::string upper = hex;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  forms.insert(upper);
  for (const Base64 alphabet : {Base64::kStandard, Base64::kUrl}) {
    forms.insert(to_base64(value, alphabet));
    for (size_t before = 0; before < 3; ++before) {
      forms.insert(base64_inside(value, before, alphabet));
    }
  }
  for (const char* digits : {"0123456789ABCDEF", "0123456789abcdef"}) {
    for (const char* kept : {"-._~", "-_.!~*'()", "-._*", "-._~/", "-._"}) {
      for (const bool plus : {false, true}) {
        forms.insert(percent_encoded(value, kept, digits, plus));
      }
    }
  }
  if (is_valid_utf8(value)) {
    const std::string escaped = json_escaped(value);
    for (const std::string& once :
         {escaped, replaced(escaped, "/", "\\/"), json_escaped_to_ascii(value, false),
          json_escaped_to_ascii(value, true)}) {
      forms.insert(once);
      forms.insert(json_escaped(once));
    }
  }
  return forms;
}

}  // namespace

void Masker::add(std::string_view name, std::string_view value) {
  PERDURE_ASSERT(value.size() >= kSecretMinBytes, "a secret is long enough to be masked");
  const std::string mark = fmt::format("{{{{secret:{}}}}}", name);
  for (const std::string& form : forms_of(value)) {
    forms_.push_back({form, mark});
    first_bytes_.set(first_two(form));
  }
  std::sort(forms_.begin(), forms_.end(), [](const Form& a, const Form& b) {
    return a.text.size() != b.text.size() ? a.text.size() > b.text.size() : a.text < b.text;
  });
}

const Masker::Form* Masker::form_at(std::string_view rest) const {
  if (rest.size() < 2 || !first_bytes_.test(first_two(rest))) return nullptr;
  for (const Form& form : forms_) {
    if (rest.starts_with(form.text)) return &form;
  }
  return nullptr;
}

bool Masker::may_begin_form(std::string_view rest) const {
  if (rest.size() >= 2 && !first_bytes_.test(first_two(rest))) return false;
  return std::any_of(forms_.begin(), forms_.end(), [&](const Form& form) {
    return form.text.size() > rest.size() && form.text.starts_with(rest);
  });
}

std::string Masker::mask(std::string text) const {
  if (forms_.empty()) return text;
  std::string masked;
  size_t copied = 0;
  for (size_t i = 0; i < text.size();) {
    const Form* form = form_at(std::string_view(text).substr(i));
    if (form == nullptr) {
      ++i;
      continue;
    }
    masked.append(text, copied, i - copied);
    masked += form->mark;
    i += form->text.size();
    copied = i;
  }
  if (copied == 0) return text;
  masked.append(text, copied);
  return masked;
}

std::string Masker::mask_cut(std::string text) const {
  std::string masked = mask(std::move(text));
  size_t drop = 0;
  for (const Form& form : forms_) {
    for (size_t size = std::min(form.text.size() - 1, masked.size());
         size >= kCutMinBytes && size > drop; --size) {
      if (masked.ends_with(std::string_view(form.text).substr(0, size))) drop = size;
    }
  }
  masked.resize(masked.size() - drop);
  return masked;
}

std::string StreamMasker::feed(std::string_view piece) {
  held_ += piece;
  if (masker_.is_empty()) return std::exchange(held_, {});
  const size_t longest = masker_.forms_.front().text.size();
  std::string shown;
  size_t at = 0;
  while (at < held_.size()) {
    const std::string_view rest = std::string_view(held_).substr(at);
    if (rest.size() < longest && masker_.may_begin_form(rest)) break;
    if (const Masker::Form* form = masker_.form_at(rest)) {
      shown += form->mark;
      at += form->text.size();
    } else {
      shown += held_[at++];
    }
  }
  held_.erase(0, at);
  return shown;
}

std::string StreamMasker::end() {
  return masker_.mask(std::exchange(held_, {}));
}

}  // namespace perdure
