#include "scenario/setting.h"

#include <fmt/core.h>

#include <fstream>

namespace perdure::scenario {
namespace {

constexpr const char* kModels = R"(
[models.main]
provider = "openai-chat"
base_url = "http://main.test/v1"
model = "m"
price_per_mtok = {input = 1.0, output = 4.0}

[models.backup]
provider = "openai-chat"
base_url = "http://backup.test/v1"
model = "b"
price_per_mtok = {input = 1.0, output = 4.0}

[models.patient]
provider = "openai-responses"
base_url = "http://patient.test/v1"
model = "p"
background = true
price_per_mtok = {input = 1.0, output = 4.0}
)";

bool acts(const std::string& contract) {
  return contract.find("\"once\"") != std::string::npos ||
         contract.find("\"idempotent\"") != std::string::npos;
}

std::string tool_table(const std::string& name, const std::string& contract) {
  const bool says = contract.find("irreversible") != std::string::npos ||
                    contract.find("compensation") != std::string::npos;
  return fmt::format(
      "\n[tools.{}]\nhttp = {{method = \"POST\", url = \"http://tools.test/{}\"}}\n{}{}", name,
      name, acts(contract) && !says ? "irreversible = true\n" : "", contract);
}

bool sets(const std::string& lines, const std::string& key) {
  return lines.starts_with(key + " =") || lines.find("\n" + key + " =") != std::string::npos;
}

std::string agent_file(const Setting& setting) {
  std::string text = "name = \"helper\"\n";
  if (!sets(setting.agent_lines, "model")) text += "model = [\"main\"]\n";
  if (!sets(setting.agent_lines, "instructions")) text += "instructions = \"Help.\"\n";
  if (!sets(setting.agent_lines, "tools")) {
    std::string names;
    for (const auto& [name, contract] : setting.tools) {
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name);
    }
    text += fmt::format("tools = [{}]\n", names);
  }
  return text + setting.agent_lines;
}

}  // namespace

std::string Setting::write(const std::string& folder) const {
  std::string text = kModels;
  for (const auto& [name, contract] : tools) text += tool_table(name, contract);
  text += "\n[agents]\nhelper = \"helper.toml\"\n\n" + operator_lines;
  std::ofstream(folder + "/helper.toml") << agent_file(*this);
  std::ofstream(folder + "/perdure.toml") << text;
  return folder + "/perdure.toml";
}

}  // namespace perdure::scenario
