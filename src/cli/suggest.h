#pragma once
// What to write into the operator's file when it has no model. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace perdure::cli {

// What there is to use. Nothing of it is used before somebody writes it down.
struct Found {
  bool openai_key = false;
  bool anthropic_key = false;
  std::string ollama_url;
  std::vector<std::string> ollama_models;  // of a server there
};

// Where Ollama is, if OLLAMA_HOST says `given`: a host, host:port, or either with a scheme. One
// that listens everywhere is asked on this machine; what is none of these says nothing.
std::string ollama_url(std::string_view given);

// Of Ollama's list: without those that are for embeddings alone.
std::vector<std::string> ollama_models(const json::object& tags);

// The models that an agent file names, as it names them; "main" if it names none.
std::vector<std::string> models_named(const json::object& agent);

// Whole sentences, with the lines to add to `config`.
std::string model_advice(const std::string& config, const std::string& model, const Found& found);

}  // namespace perdure::cli
