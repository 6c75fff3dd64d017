#include "ports/label.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/json_text.h"

namespace perdure {
namespace {

void add_piece(std::string& out, std::string_view piece) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(piece.size() >> shift);
  out += piece;
}

}  // namespace

std::string label_of(std::string_view name, std::string_view text) {
  std::string pieces;
  add_piece(pieces, name);
  add_piece(pieces, text);
  return std::string(sha256(pieces).view().substr(0, 16));
}

std::set<std::string> labels_of(std::string_view metadata) {
  std::set<std::string> labels;
  if (metadata.empty() || metadata == "{}") return labels;
  const auto object = parse_json(metadata, "metadata");
  if (!object || !object->is_object()) return labels;
  for (const auto& [name, value] : object->get_object()) {
    labels.insert(value.is_string() ? label_of(name, value.get_string())
                                    : label_of(name, json_text(value)));
  }
  return labels;
}

}  // namespace perdure
