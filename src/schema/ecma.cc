// ECMA-262 patterns in the words of RE2 (https://github.com/google/re2/wiki/Syntax).
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "schema/pattern.h"

namespace perdure::schema {
namespace {

// ECMA-262 WhiteSpace and LineTerminator, for the inside of a class, and all others.
constexpr std::string_view kSpace =
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"
    "\\x{3000}\\x{feff}";
constexpr std::string_view kNotSpace =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
constexpr std::string_view kAny = "[\\x{0}-\\x{10ffff}]";
constexpr std::string_view kNothing = "[^\\x{0}-\\x{10ffff}]";
constexpr std::string_view kNotLineEnd = "[^\\n\\r\\x{2028}\\x{2029}]";

struct Category {
  std::string_view name;
  std::string_view letters;
};
// The long names of General_Category (Unicode, PropertyValueAliases).
constexpr auto kCategories = std::to_array<Category>({
    {"Letter", "L"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
});

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class Translation {
 public:
  explicit Translation(std::string_view in) : in_(in) {}

  Result<std::string> run() {
    while (at_ < in_.size() && !error_) {
      const char c = in_[at_];
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        bracket();
      } else if (c == '(') {
        group();
      } else {
        if (c == '.') {
          out_ += kNotLineEnd;
        } else {
          out_ += c;
        }
        ++at_;
      }
    }
    if (error_) return tl::unexpected(*error_);
    return std::move(out_);
  }

 private:
  bool looks_at(std::string_view word) const { return in_.substr(at_).starts_with(word); }

  void refuse(std::string_view what) {
    if (!error_) {
      error_ = Error{Code::kUnsupported, fmt::format("{} at byte {} of the pattern", what, at_)};
    }
  }

  // Nothing is captured, so a name is of no use.
  void group() {
    if (looks_at("(?=") || looks_at("(?!")) {
      return refuse("look-ahead cannot be matched in linear time and is not supported,");
    }
    if (looks_at("(?<=") || looks_at("(?<!")) {
      return refuse("look-behind cannot be matched in linear time and is not supported,");
    }
    if (looks_at("(?:")) {
      at_ += 3;
    } else if (looks_at("(?<")) {
      const size_t end = in_.find('>', at_);
      if (end == std::string_view::npos) return refuse("a group's name has no end,");
      at_ = end + 1;
    } else if (looks_at("(?")) {
      return refuse("'(?' begins nothing that ECMA-262 knows,");
    } else {
      ++at_;
    }
    out_ += "(?:";
  }

  void bracket() {
    if (looks_at("[]")) {
      out_ += kNothing;
      at_ += 2;
      return;
    }
    if (looks_at("[^]")) {
      out_ += kAny;
      at_ += 3;
      return;
    }
    out_ += '[';
    if (++at_ < in_.size() && in_[at_] == '^') {
      out_ += '^';
      ++at_;
    }
    while (at_ < in_.size() && in_[at_] != ']' && !error_) {
      const char c = in_[at_];
      if (c == '\\') {
        const bool is_set = escape(true);
        // After a set, a dash is itself: there is no range to begin.
        if (is_set && at_ < in_.size() && in_[at_] == '-') {
          out_ += "\\-";
          ++at_;
        }
        continue;
      }
      if (c == '[') out_ += '\\';  // RE2 would see [:alpha:]
      out_ += c;
      ++at_;
    }
    if (at_ >= in_.size()) return refuse("'[' is not closed,");
    out_ += ']';
    ++at_;
  }

  void code_point(uint32_t code) { out_ += fmt::format("\\x{{{:x}}}", code); }

  // The value of `digits` hexadecimal digits at `from`.
  std::optional<uint32_t> hex(size_t from, size_t digits) const {
    if (from + digits > in_.size() || digits == 0 || digits > 6) return std::nullopt;
    uint32_t value = 0;
    for (const char c : in_.substr(from, digits)) {
      if (!is_digit(c) && !((c | 32) >= 'a' && (c | 32) <= 'f')) return std::nullopt;
      value = value * 16 + static_cast<uint32_t>(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
  }

  // True if it stands for a set of characters.
  bool escape(bool in_class) {
    if (at_ + 1 >= in_.size()) {
      refuse("a single '\\' ends the pattern,");
      return false;
    }
    const char c = in_[at_ + 1];
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
        out_ += {'\\', c};
        at_ += 2;
        return true;
      case 's':
      case 'S': {
        const std::string_view set = c == 's' ? kSpace : kNotSpace;
        out_ += in_class ? std::string(set) : fmt::format("[{}]", set);
        at_ += 2;
        return true;
      }
      case 'p':
      case 'P':
        property(c);
        return true;
      case 'b':
      case 'B':
        out_ += in_class ? "\\x{8}" : c == 'b' ? "\\b" : "\\B";
        if (in_class && c == 'B') refuse("'\\B' stands in a class,");
        at_ += 2;
        return false;
      case 'u':
        unicode();
        return false;
      default:
        character(c);
        return false;
    }
  }

  void character(char c) {
    constexpr std::string_view kControl = "tnvfr";
    constexpr std::array<uint32_t, 5> kCodes = {9, 10, 11, 12, 13};
    if (const size_t known = kControl.find(c); known != std::string_view::npos) {
      code_point(kCodes[known]);
    } else if (c == '0' && !(at_ + 2 < in_.size() && is_digit(in_[at_ + 2]))) {
      code_point(0);
    } else if (c == 'x') {
      const auto code = hex(at_ + 2, 2);
      if (!code) return refuse("'\\x' without two hexadecimal digits");
      code_point(*code);
      at_ += 2;
    } else if (c == 'c') {
      if (at_ + 2 >= in_.size() || !is_letter(in_[at_ + 2]))
        return refuse("'\\c' without a letter");
      code_point(static_cast<uint32_t>(in_[at_ + 2]) % 32);
      ++at_;
    } else if (c == 'k' || is_digit(c)) {
      return refuse("a back-reference cannot be matched in linear time and is not supported,");
    } else if (is_letter(c)) {
      return refuse(fmt::format("'\\{}' is not an escape of ECMA-262,", c));
    } else if (static_cast<unsigned char>(c) >= 0x80 || c == '_') {
      out_ += c;
    } else {
      code_point(static_cast<unsigned char>(c));
    }
    at_ += 2;
  }

  void unicode() {
    if (at_ + 2 < in_.size() && in_[at_ + 2] == '{') {
      const size_t end = in_.find('}', at_);
      const auto code = end == std::string_view::npos ? std::nullopt : hex(at_ + 3, end - at_ - 3);
      if (!code || *code > 0x10FFFF) return refuse("'\\u{' without a code point");
      code_point(*code);
      at_ = end + 1;
      return;
    }
    auto code = hex(at_ + 2, 4);
    if (!code) return refuse("'\\u' without four hexadecimal digits");
    at_ += 6;
    if (*code >= 0xD800 && *code < 0xDC00 && looks_at("\\u")) {
      if (const auto low = hex(at_ + 2, 4); low && *low >= 0xDC00 && *low < 0xE000) {
        code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
        at_ += 6;
      }
    }
    if (*code >= 0xD800 && *code < 0xE000) return refuse("half a surrogate pair before");
    code_point(*code);
  }

  void property(char p) {
    const size_t end = in_.find('}', at_);
    if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || end == std::string_view::npos) {
      return refuse(fmt::format("'\\{}' without a {{property}}", p));
    }
    std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      const std::string_view kind = name.substr(0, equals);
      if (kind != "General_Category" && kind != "gc" && kind != "Script" && kind != "sc" &&
          kind != "Script_Extensions" && kind != "scx") {
        return refuse(fmt::format("the property '{}' is not known", name));
      }
      name.remove_prefix(equals + 1);
    }
    const auto* long_name = std::find_if(kCategories.begin(), kCategories.end(),
                                         [&](const Category& each) { return each.name == name; });
    if (long_name != kCategories.end()) name = long_name->letters;
    out_ += fmt::format("\\{}{{{}}}", p, name);
    at_ = end + 1;
  }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::string> to_re2(std::string_view ecma) {
  return Translation(ecma).run();
}

}  // namespace perdure::schema
