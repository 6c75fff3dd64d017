#pragma once
// JSON Schema, draft 2020-12 (https://json-schema.org/draft/2020-12). A schema is compiled once and
// then checked against any number of values. Neither ever crashes, hangs or fetches anything,
// whatever the schema or the value is: depth, size and steps are bounded, and patterns match in
// linear time. `format` and the content keywords are annotations; unknown keywords are ignored.
//
// Beyond the draft, as tools' schemas contain it: `definitions`, `dependencies`, `items` as an
// array with `additionalItems`, `exclusiveMinimum` and `exclusiveMaximum` as booleans, and `$id`s
// that are anchors, as older drafts have them. Patterns with look-around or back-references are an
// error of the schema.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace perdure {

namespace schema {
struct Program;
}

// One thing that is wrong with a value. All texts are bounded.
struct SchemaProblem {
  std::string at;        // JSON Pointer into the value; empty: the value itself
  std::string expected;  // "a string of at least 3 characters"
  std::string found;     // what stood there: "the string \"ab\""
};

// A document that references may name. It is only read if one does.
struct SchemaSource {
  std::string uri;
  const json::value* document = nullptr;
};

class JsonSchema {
 public:
  static constexpr size_t kProblemsMax = 8;
  static constexpr uint64_t kStepsMax = 1'000'000;

  // The error names the place in the schema: "/properties/x/pattern: ...". kUnsupported: a pattern
  // that is none of ours; kInvalid: the schema is wrong; kTooLarge: a limit.
  static Result<JsonSchema> compile(const json::value& document,
                                    std::span<const SchemaSource> sources = {});
  // `what` begins every error, e.g. "tools.refund.input_schema".
  static Result<JsonSchema> compile(std::string_view text, std::string_view what);

  // Nothing: the value is valid. kExhausted: it cannot be told within the bounds.
  // Thread-safe.
  Result<std::vector<SchemaProblem>> check(const json::value& value) const;

 private:
  explicit JsonSchema(std::shared_ptr<const schema::Program> program)
      : program_(std::move(program)) {}

  std::shared_ptr<const schema::Program> program_;
};

// "/order: expected an integer, found the string "42"", one line each; `root` stands for the value
// itself.
std::string in_words(const std::vector<SchemaProblem>& problems, std::string_view root);

// Parses `text` and checks it; the error says everything that is wrong, for a person or a model.
// `what` names the text: "the arguments".
Status check_text(const JsonSchema& schema, std::string_view text, std::string_view what);
// The same with a schema that is used once; an empty text is no schema, and everything fits.
Status check_text(std::string_view schema, std::string_view text, std::string_view what);

}  // namespace perdure
