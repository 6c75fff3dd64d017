#pragma once
// The table [telemetry], and what it takes to export traces.
#include <memory>

#include "base/json.h"
#include "ports/store.h"
#include "runtime/runtime.h"
#include "runtime/trace_exporter.h"

namespace perdure::server {

Result<runtime::TelemetryConfig> parse_telemetry(const json::value& table);

// Null when nothing is to be exported. It goes on behind what the collector had taken when this
// data directory was last served; with a new one it begins at its end. All arguments but the first
// outlive it.
Result<std::unique_ptr<runtime::TraceExporter>> make_exporter(
    const runtime::TelemetryConfig& config, const std::vector<ModelConfig>& models,
    const std::string& data_dir, Store& store, HttpClient& http, Clock& clock);

}  // namespace perdure::server
