#include "schema/schema.h"

#include <fmt/core.h>

#include "base/text.h"
#include "schema/compiler.h"
#include "schema/evaluation.h"

namespace perdure {

Result<JsonSchema> JsonSchema::compile(const json::value& document,
                                       std::span<const SchemaSource> sources) {
  auto program = std::make_shared<schema::Program>();
  schema::Compiler compiler(sources, *program);
  TRY_STATUS(compiler.run(document));
  return JsonSchema(std::move(program));
}

Result<JsonSchema> JsonSchema::compile(std::string_view text, std::string_view what) {
  TRY_ASSIGN(const json::value document, parse_json(text, what));
  auto compiled = compile(document);
  if (!compiled) {
    return fail(compiled.error().code, fmt::format("{}{}", what, compiled.error().message));
  }
  return compiled;
}

Result<std::vector<SchemaProblem>> JsonSchema::check(const json::value& value) const {
  schema::Work work(kStepsMax);
  schema::Evaluation evaluation(*program_, work);
  std::vector<SchemaProblem> problems;
  const bool valid = evaluation.run(0, value, {}, nullptr, &problems);
  if (work.exhausted()) {
    return fail(Code::kExhausted, "cannot be checked against its schema: " + work.why());
  }
  if (valid) problems.clear();
  return problems;
}

std::string in_words(const std::vector<SchemaProblem>& problems, std::string_view root) {
  std::string out;
  for (const SchemaProblem& problem : problems) {
    if (!out.empty()) out += '\n';
    out += fmt::format("{}: expected {}, found {}", problem.at.empty() ? root : problem.at,
                       problem.expected, problem.found);
  }
  return out;
}

Status check_text(const JsonSchema& schema, std::string_view text, std::string_view what) {
  TRY_ASSIGN(const json::value value, parse_json(text, what));
  const auto problems = schema.check(value);
  if (!problems) {
    return fail(problems.error().code, fmt::format("{} {}", what, problems.error().message));
  }
  if (problems->empty()) return {};
  return fail(Code::kInvalid, in_words(*problems, what));
}

Status check_text(std::string_view schema, std::string_view text, std::string_view what) {
  if (schema.empty()) return {};
  TRY_ASSIGN(const JsonSchema compiled, JsonSchema::compile(schema, "schema"));
  return check_text(compiled, text, what);
}

}  // namespace perdure
