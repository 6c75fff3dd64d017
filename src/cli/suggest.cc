#include "cli/suggest.h"

#include <fmt/core.h>

#include "cli/words.h"

namespace perdure::cli {
namespace {

std::string lines(const std::string& name, std::string_view rest) {
  return fmt::format("\n    [models.{}]\n{}", name, rest);
}

constexpr std::string_view kOpenAi =
    "    provider = \"openai-chat\"\n"
    "    model = \"gpt-5-mini\"\n"
    "    key = \"env:OPENAI_API_KEY\"\n";

constexpr std::string_view kAnthropic =
    "    provider = \"anthropic\"\n"
    "    model = \"claude-haiku-4-5\"\n"
    "    key = \"env:ANTHROPIC_API_KEY\"\n";

std::string ollama(const std::string& model) {
  return fmt::format(
      "    provider = \"openai-chat\"\n"
      "    base_url = \"http://127.0.0.1:11434/v1\"\n"
      "    model = {}\n"
      "    allow_private = true\n",
      to_json(json::value(model)));
}

}  // namespace

std::vector<std::string> models_named(const json::object& agent) {
  std::vector<std::string> names;
  const json::value* model = agent.if_contains("model");
  if (model != nullptr && model->is_string()) names.emplace_back(model->get_string());
  const json::array* several = array_at(agent, "model");
  for (size_t i = 0; several != nullptr && i < several->size(); ++i) {
    if ((*several)[i].is_string()) names.emplace_back((*several)[i].get_string());
  }
  if (names.empty()) names.emplace_back("main");
  return names;
}

std::string model_advice(const std::string& config, const std::string& model, const Found& found) {
  std::string out;
  if (found.openai_key) {
    out += "\nOPENAI_API_KEY is set; to use it, add to " + config + ":" + lines(model, kOpenAi);
  }
  if (found.anthropic_key) {
    out +=
        "\nANTHROPIC_API_KEY is set; to use it, add to " + config + ":" + lines(model, kAnthropic);
  }
  if (!found.ollama_models.empty()) {
    out += "\nOllama answers on its port; to use it, add to " + config + ":" +
           lines(model, ollama(found.ollama_models.front()));
  }
  if (out.empty()) {
    out = "\nadd one to " + config + ", such as:" + lines(model, kOpenAi) +
          "\nand set OPENAI_API_KEY. Any server that speaks the same API will do; see "
          "docs/guide/models.md\n";
  }
  return out;
}

}  // namespace perdure::cli
