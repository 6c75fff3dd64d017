#include "cli/suggest.h"

#include <fmt/core.h>

#include "cli/words.h"

namespace perdure::cli {
namespace {

std::string lines(const std::string& name, std::string_view rest) {
  return fmt::format("\n    [models.{}]\n{}", name, rest);
}

// Without a price an agent that limits cost_usd could not be run with what is proposed here.
constexpr std::string_view kOpenAi =
    "    provider = \"openai-chat\"\n"
    "    model = \"gpt-5-mini\"\n"
    "    key = \"env:OPENAI_API_KEY\"\n"
    "    price_per_mtok = {input = 0.25, cached_input = 0.025, output = 2}\n";

constexpr std::string_view kAnthropic =
    "    provider = \"anthropic\"\n"
    "    model = \"claude-haiku-4-5\"\n"
    "    key = \"env:ANTHROPIC_API_KEY\"\n"
    "    price_per_mtok = {input = 1, cached_input = 0.1, cache_write = 1.25, output = 5}\n";

std::string ollama(const std::string& model) {
  return fmt::format(
      "    provider = \"openai-chat\"\n"
      "    base_url = \"http://127.0.0.1:11434/v1\"\n"
      "    model = {}\n"
      "    max_tokens_member = \"max_tokens\"\n"
      "    allow_private = true\n"
      "    price_per_mtok = {{input = 0, output = 0}}\n",
      to_json(json::value(model)));
}

}  // namespace

std::vector<std::string> ollama_models(const json::object& tags) {
  std::vector<std::string> names;
  const json::array* models = array_at(tags, "models");
  for (size_t i = 0; models != nullptr && i < models->size(); ++i) {
    const json::object* model = (*models)[i].if_object();
    const std::string name = model == nullptr ? "" : text_at(*model, "name");
    const json::object* details = model == nullptr ? nullptr : object_at(*model, "details");
    const std::string family = details == nullptr ? "" : text_at(*details, "family");
    const bool embeds =
        name.find("embed") != std::string::npos || family.find("bert") != std::string::npos;
    if (!name.empty() && !embeds) names.push_back(name);
  }
  return names;
}

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
