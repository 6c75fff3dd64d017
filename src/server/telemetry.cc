#include "server/telemetry.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/http_header.h"
#include "base/text.h"
#include "model/codec.h"
#include "server/private_file.h"

namespace perdure::server {
namespace {

// Well-known values of gen_ai.provider.name.
telemetry::ModelNames model_names(const std::vector<ModelConfig>& models) {
  static const std::map<std::string_view, std::string_view> kProviders = {
      {"openai-chat", "openai"},
      {"openai-responses", "openai"},
      {"anthropic", "anthropic"},
      {"gemini", "gcp.gemini"},
      {"bedrock", "aws.bedrock"}};
  telemetry::ModelNames names;
  for (const ModelConfig& model : models) {
    const std::string_view dialect = codec_of(model.provider).name();
    const auto known = kProviders.find(dialect);
    names[model.name] = {std::string(known != kProviders.end() ? known->second : dialect),
                         model.model};
  }
  return names;
}

// A store that was put back from a copy ends before the note.
Result<Pos> read_note(const std::string& path, Pos last_pos) {
  std::ifstream file(path);
  if (!file) return last_pos;
  std::string text;
  std::getline(file, text);
  const auto pos = parse_u64(text);
  if (!pos) {
    return fail(Code::kCorrupt, fmt::format("{}: is not a position; remove it, and spans that were "
                                            "not exported are left out",
                                            path));
  }
  return std::min<Pos>(*pos, last_pos);
}

}  // namespace

Result<runtime::TelemetryConfig> parse_telemetry(const json::value& table) {
  runtime::TelemetryConfig config;
  ObjectReader in(table, "telemetry");
  config.endpoint = in.string("otlp_endpoint");
  config.allow_private = in.boolean("allow_private", false);
  while (config.endpoint.ends_with('/')) config.endpoint.pop_back();
  if (const json::object* headers = in.object("headers")) {
    for (const auto& [name, value] : *headers) {
      const std::string reference(value.is_string() ? std::string_view(value.get_string()) : "");
      if (const Status fits = check_http_header(name, {}); !fits) {
        in.fail_at("headers", "'" + std::string(name) + "': " + fits.error().message);
      }
      if (!reference.starts_with("env:") && !reference.starts_with("file:")) {
        in.fail_at("headers", "expected NAME = \"env:NAME\" or \"file:PATH\"");
      }
      config.headers.emplace_back(name, reference);
    }
  }
  const bool plain = config.endpoint.starts_with("http://");
  const size_t host = plain ? 7 : 8;
  if (in.ok() && !plain && !config.endpoint.starts_with("https://")) {
    in.fail_at("otlp_endpoint", "expected a URL that begins with https:// or http://");
  } else if (in.ok() && (config.endpoint.size() <= host ||
                         config.endpoint.find_first_of("@?# \t\r\n") != std::string::npos)) {
    in.fail_at("otlp_endpoint", "expected scheme, host and path, e.g. \"http://127.0.0.1:4318\"");
  } else if (in.ok() && plain && !config.headers.empty() && !config.allow_private) {
    in.fail_at("otlp_endpoint",
               "headers with secrets are sent over https only; for a collector on your own network "
               "set allow_private = true");
  }
  TRY_STATUS(in.finish());
  return config;
}

Result<std::unique_ptr<runtime::TraceExporter>> make_exporter(
    const runtime::TelemetryConfig& config, const std::vector<ModelConfig>& models,
    const std::string& data_dir, Store& store, HttpClient& http, Clock& clock) {
  if (config.endpoint.empty()) return nullptr;
  const std::string path = data_dir + "/exported";
  TRY_ASSIGN(const Pos after, read_note(path, store.last_pos()));
  const auto note = [path](Pos pos) {
    return write_private_durably(path, std::to_string(pos) + "\n");
  };
  TRY_STATUS(note(after));
  return std::make_unique<runtime::TraceExporter>(
      config, runtime::TraceReader(store, model_names(models), after),
      runtime::TraceExporter::Outside{http, clock, read_secret, note, PERDURE_VERSION});
}

}  // namespace perdure::server
