#include "cli/suggest.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
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

std::string ollama(const std::string& url, const std::string& model) {
  return fmt::format(
      "    provider = \"openai-chat\"\n"
      "    base_url = \"{}/v1\"\n"
      "    model = {}\n"
      "    max_tokens_member = \"max_tokens\"\n"
      "    allow_private = true\n"
      "    price_per_mtok = {{input = 0, output = 0}}\n",
      url, to_json(json::value(model)));
}

bool has_only(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

// "host:port", "[::1]:port", or either without the port.
std::optional<std::string> ollama_place(std::string_view text, uint64_t port) {
  const bool v6 = text.starts_with('[');
  const size_t end = v6 ? text.find(']') : std::min(text.find(':'), text.size());
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(v6 ? 1 : 0, end - (v6 ? 1 : 0));
  std::string_view rest = text.substr(end + (v6 ? 1 : 0));
  if (!has_only(host, v6 ? ":." : "-._")) return std::nullopt;
  if (!rest.empty()) {
    if (!rest.starts_with(':')) return std::nullopt;
    const auto number = parse_u64(rest.substr(1));
    if (number && *number > 0 && *number <= 65535) port = *number;
  }
  if (host.empty() || host == "0.0.0.0" || host == "::") return fmt::format("127.0.0.1:{}", port);
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

}  // namespace

// As Ollama's own programs take it: with a scheme, the port is that scheme's.
std::string ollama_url(std::string_view given) {
  std::string_view scheme = "http";
  uint64_t port = 11434;
  if (const size_t end = given.find("://"); end != std::string_view::npos) {
    scheme = given.substr(0, end);
    given.remove_prefix(end + 3);
    port = scheme == "https" ? 443 : 80;
  }
  const auto place = ollama_place(given.substr(0, given.find('/')), port);
  if (!place || (scheme != "http" && scheme != "https")) return ollama_url("127.0.0.1");
  return fmt::format("{}://{}", scheme, *place);
}

std::vector<std::string> ollama_models(const json::object& tags) {
  std::vector<std::string> names;
  const json::array* models = array_in(tags, "models");
  for (size_t i = 0; models != nullptr && i < models->size(); ++i) {
    const json::object* model = (*models)[i].if_object();
    const std::string name = model == nullptr ? "" : text_at(*model, "name");
    const json::object* details = model == nullptr ? nullptr : object_in(*model, "details");
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
  const json::array* several = array_in(agent, "model");
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
    out += "\nOllama answers at " + found.ollama_url + "; to use it, add to " + config + ":" +
           lines(model, ollama(found.ollama_url, found.ollama_models.front()));
  }
  if (out.empty()) {
    out = "\nadd one to " + config + ", such as:" + lines(model, kOpenAi) +
          "\nand set OPENAI_API_KEY. Any server that speaks the same API will do; see "
          "docs/guide/models.md\n";
  }
  return out;
}

}  // namespace perdure::cli
