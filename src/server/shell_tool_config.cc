#include "server/toml.h"
#include "server/tool_config.h"
#include "server/tool_terms.h"

namespace perdure::server {
namespace {

Status read_shell(ShellToolConfig& tool, const json::value& table, const std::string& folder,
                  const std::string& where) {
  ObjectReader in(table, where);
  tool.workspace = absolute_beside(folder, in.string("workspace"));
  tool.command = in.strings("command", tool.command);
  tool.readable = in.strings("readable", tool.readable);
  for (std::string& path : tool.readable) path = absolute_beside(folder, path);
  tool.environment = in.string_pairs("environment");
  tool.network = in.boolean("network", tool.network);
  tool.unsafe_same_user = in.boolean("unsafe_same_user", tool.unsafe_same_user);
  tool.timeout_ms = in.duration_ms("timeout", tool.timeout_ms);
  if (tool.timeout_ms <= 0) in.fail_at("timeout", "must be longer than nothing");
  const auto count = [&](std::string_view name, int64_t most, uint64_t fallback) {
    return static_cast<uint64_t>(in.integer(name, 1, most, static_cast<int64_t>(fallback)));
  };
  tool.cpu_s = count("cpu_seconds", 30 * 86'400, tool.cpu_s);
  tool.memory_mb = count("memory_mb", 1 << 30, tool.memory_mb);
  tool.file_mb = count("file_mb", 1 << 30, tool.file_mb);
  tool.processes = count("processes", 1 << 20, tool.processes);
  return in.finish();
}

}  // namespace

Result<ShellToolConfig> parse_shell_tool(const std::string& name, const json::value& table,
                                         const std::string& folder) {
  const std::string where = "tools." + name;
  ShellToolConfig tool;
  tool.name = name;
  ObjectReader in(table, where);
  in.value("people");  // read with all that is said about people
  tool.description = in.string("description", "Runs a shell command and returns what it wrote.");
  if (const json::value* shell = in.value("shell")) {
    TRY_STATUS(read_shell(tool, *shell, folder, where + ".shell"));
  }
  ToolTerms terms = read_terms(in, !tool.network && !tool.unsafe_same_user);
  tool.contract = terms.contract;
  tool.approval = terms.approval;
  tool.identity = std::move(terms.identity);
  tool.check = std::move(terms.check);
  tool.max_output_bytes = static_cast<size_t>(in.integer("max_output", 1, 64 << 20, 1 << 20));
  const json::value* retry = in.value("retry");
  TRY_STATUS(in.finish());
  TRY_STATUS(read_retry(tool.contract, retry, where + ".retry"));
  TRY_STATUS(check(tool));
  return tool;
}

}  // namespace perdure::server
