#include <fmt/core.h>

#include "base/text.h"
#include "schema/schema.h"
#include "server/toml.h"
#include "server/tool_config.h"
#include "server/tool_terms.h"

namespace perdure::server {
namespace {

Status read_http(HttpToolConfig& tool, const json::value& table, const std::string& where) {
  ObjectReader http(table, where);
  tool.method = http.string("method", "POST");
  tool.url = http.string("url");
  const std::string key_in = http.string("key_in", "header");
  if (key_in.starts_with('/')) {
    tool.key_in = KeyIn::kArgument;
    tool.key_name = key_in;
  } else if (key_in != "header") {
    http.fail_at("key_in", "expected \"header\", or a JSON Pointer into the arguments");
  }
  if (http.has("key_header")) tool.key_name = http.string("key_header");
  tool.headers = http.string_pairs("headers");
  return http.finish();
}

Status read_timeouts(HttpTimeouts& timeouts, const json::value& table, const std::string& where) {
  ObjectReader in(table, where);
  timeouts.connect_ms = in.duration_ms("connect", timeouts.connect_ms);
  timeouts.first_byte_ms = in.duration_ms("first_byte", timeouts.first_byte_ms);
  timeouts.gap_ms = in.duration_ms("gap", timeouts.gap_ms);
  timeouts.total_ms = in.duration_ms("total", timeouts.total_ms);
  return in.finish();
}

Status read_definite(HttpToolConfig& tool, const json::object& table, const std::string& where) {
  for (const auto& [status, meaning] : table) {
    const auto code = parse_u64(status);
    const std::string word = meaning.is_string() ? std::string(meaning.get_string()) : "";
    if (!code || *code > 599)
      return fail(Code::kInvalid,
                  fmt::format("{}.{}: is not an HTTP status", where, std::string(status)));
    if (word == "done")
      tool.definite[static_cast<int>(*code)] = Outcome::kSucceeded;
    else if (word == "failed")
      tool.definite[static_cast<int>(*code)] = Outcome::kFailed;
    else if (word == "later")
      tool.definite[static_cast<int>(*code)] = Outcome::kDeferred;
    else if (word == "doubt")
      tool.definite[static_cast<int>(*code)] = Outcome::kInDoubt;
    else
      return fail(Code::kInvalid,
                  fmt::format("{}.{}: expected \"done\", \"failed\", \"later\" or \"doubt\"", where,
                              std::string(status)));
  }
  return {};
}

// The schema stands in a file of its own or in the table.
Result<std::string> read_schema(const json::value& schema, const std::string& folder,
                                const std::string& where) {
  if (schema.is_object()) {
    if (const auto compiled = JsonSchema::compile(schema); !compiled) {
      return fail(compiled.error().code, where + compiled.error().message);
    }
    return to_canonical_json(schema);
  }
  if (!schema.is_string()) {
    return fail(Code::kInvalid, where + ": expected a file name or a table");
  }
  const std::string path = beside(folder, std::string(schema.get_string()));
  TRY_ASSIGN(const std::string text, read_file(path));
  TRY_ASSIGN(const json::value parsed, parse_json(text, path));
  if (!parsed.is_object()) return fail(Code::kInvalid, path + ": a JSON Schema is an object here");
  if (const auto compiled = JsonSchema::compile(parsed); !compiled) {
    return fail(compiled.error().code,
                fmt::format("{}: {}: {}", where, path, compiled.error().message));
  }
  return to_canonical_json(parsed);
}

}  // namespace

Result<HttpToolConfig> parse_http_tool(const std::string& name, const json::value& table,
                                       const std::string& folder) {
  const std::string where = "tools." + name;
  HttpToolConfig tool;
  tool.name = name;
  ObjectReader in(table, where);
  in.value("people");  // read with all that is said about people
  tool.description = in.string("description", "");
  ToolTerms terms = read_terms(in, false);
  tool.contract = terms.contract;
  tool.approval = terms.approval;
  tool.identity = std::move(terms.identity);
  tool.check = std::move(terms.check);
  tool.max_output_bytes = static_cast<size_t>(in.integer("max_output", 1, 64 << 20, 1 << 20));
  tool.allow_private = in.boolean("allow_private", false);
  const json::value* http = in.value("http");
  const json::value* timeouts = in.value("timeouts");
  const json::value* retry = in.value("retry");
  const json::value* schema = in.value("input_schema");
  const json::object* definite = in.object("definite");
  TRY_STATUS(in.finish());
  TRY_STATUS(read_http(tool, *http, where + ".http"));
  if (timeouts != nullptr) TRY_STATUS(read_timeouts(tool.timeouts, *timeouts, where + ".timeouts"));
  TRY_STATUS(read_retry(tool.contract, retry, where + ".retry"));
  if (definite != nullptr) TRY_STATUS(read_definite(tool, *definite, where + ".definite"));
  if (schema != nullptr) {
    TRY_ASSIGN(tool.input_schema, read_schema(*schema, folder, where + ".input_schema"));
  }
  // A request that leaves at the last moment must have arrived before the key is forgotten.
  if (tool.contract.effect == EffectClass::kIdempotent && tool.contract.margin_ms == 0) {
    tool.contract.margin_ms = tool.timeouts.total_ms;
  }
  TRY_STATUS(check(tool));
  return tool;
}

}  // namespace perdure::server
