#include "server/tool_config.h"

#include <fmt/core.h>

#include "base/text.h"
#include "schema/schema.h"
#include "server/toml.h"

namespace perdure::server {
namespace {

constexpr EffectClass kClasses[] = {EffectClass::kRead, EffectClass::kRepeat,
                                    EffectClass::kIdempotent, EffectClass::kOnce};

bool is_acting(EffectClass effect) {
  return effect == EffectClass::kIdempotent || effect == EffectClass::kOnce;
}

void read_headers(HttpToolConfig& tool, ObjectReader& http) {
  const json::object* headers = http.object("headers");
  if (headers == nullptr) return;
  for (const auto& header : *headers) {
    const auto* value = header.value().if_string();
    if (value == nullptr) return http.fail_at("headers", "header values are strings");
    tool.headers.emplace_back(header.key(), *value);
  }
}

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
  read_headers(tool, http);
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

Status read_retry(Contract& contract, const json::value& table, const std::string& where) {
  ObjectReader in(table, where);
  contract.max_attempts =
      static_cast<uint32_t>(in.integer("max_attempts", 1, 1000, contract.max_attempts));
  contract.backoff_ms = in.duration_ms("backoff", contract.backoff_ms);
  contract.backoff_max_ms = in.duration_ms("backoff_max", contract.backoff_max_ms);
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
  const std::string path = folder + "/" + std::string(schema.get_string());
  TRY_ASSIGN(const std::string text, read_file(path));
  TRY_ASSIGN(const json::value parsed, parse_json(text, path));
  if (!parsed.is_object()) return fail(Code::kInvalid, path + ": a JSON Schema is an object here");
  if (const auto compiled = JsonSchema::compile(parsed); !compiled) {
    return fail(compiled.error().code,
                fmt::format("{}: {}: {}", where, path, compiled.error().message));
  }
  return to_canonical_json(parsed);
}

void read_effect(HttpToolConfig& tool, ObjectReader& in) {
  Contract& contract = tool.contract;
  if (in.has("effect") && in.value("effect")->is_string() &&
      in.value("effect")->get_string() == "probe") {
    in.fail_at("effect", "'probe' is not available in this version; 'once' asks a person instead");
  }
  contract.effect = kClasses[in.choice("effect", {"read", "repeat", "idempotent", "once"}, 3)];
  contract.max_attempts = 5;
  contract.horizon_ms = in.duration_ms("horizon", 0);
  contract.margin_ms = in.duration_ms("margin", 0);
  if (contract.effect == EffectClass::kIdempotent && contract.horizon_ms == 0) {
    in.fail_at("horizon", "is missing: how long does the receiver remember an idempotency key?");
  }
  if (contract.effect != EffectClass::kIdempotent && in.has("horizon")) {
    in.fail_at("horizon", "only an idempotent tool has one");
  }
  const bool irreversible = in.boolean("irreversible", false);
  if (in.has("compensation")) {
    in.fail_at("compensation", "is not available in this version; declare irreversible = true");
  }
  in.value("compensation");
  if (is_acting(contract.effect) && !irreversible) {
    in.fail_at("irreversible", "is missing: a tool that acts says irreversible = true");
  }
  contract.on_doubt =
      in.choice("on_doubt", {"ask", "error"}, 0) == 0 ? OnDoubt::kAsk : OnDoubt::kError;
  const bool asks = contract.effect == EffectClass::kOnce;
  tool.approval = in.choice("approval", {"never", "always"}, asks ? 1 : 0) == 1 ? Verdict::kAsk
                                                                                : Verdict::kAllow;
  const bool repeats =
      contract.effect == EffectClass::kRead || contract.effect == EffectClass::kRepeat;
  contract.repeat_allowed = in.choice("repeat", {"ask", "allow"}, repeats ? 1 : 0) == 1;
}

}  // namespace

Result<HttpToolConfig> parse_tool(const std::string& name, const json::value& table,
                                  const std::string& folder) {
  const std::string where = "tools." + name;
  HttpToolConfig tool;
  tool.name = name;
  ObjectReader in(table, where);
  tool.description = in.string("description", "");
  read_effect(tool, in);
  tool.max_output_bytes = static_cast<size_t>(in.integer("max_output", 1, 64 << 20, 1 << 20));
  tool.allow_private = in.boolean("allow_private", false);
  if (const json::array* identity = in.array("identity")) {
    for (const json::value& pointer : *identity) {
      if (!pointer.is_string())
        in.fail_at("identity", "expected JSON Pointers");
      else
        tool.identity.emplace_back(pointer.get_string());
    }
  }
  const json::value* http = in.value("http");
  if (http == nullptr) in.fail_at("http", "is missing: {method, url}");
  const json::value* timeouts = in.value("timeouts");
  const json::value* retry = in.value("retry");
  const json::value* schema = in.value("input_schema");
  const json::object* definite = in.object("definite");
  TRY_STATUS(in.finish());
  TRY_STATUS(read_http(tool, *http, where + ".http"));
  if (timeouts != nullptr) TRY_STATUS(read_timeouts(tool.timeouts, *timeouts, where + ".timeouts"));
  if (retry != nullptr) TRY_STATUS(read_retry(tool.contract, *retry, where + ".retry"));
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
