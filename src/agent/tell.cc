#include "agent/tell.h"

#include "base/json.h"

namespace perdure {
namespace {

constexpr std::initializer_list<std::string_view> kWhys = {"output_schema", "loop",
                                                           "malformed_call"};

}  // namespace

Payload note_of(const Tell& tell) {
  return Payload::of(to_canonical_json(json::object{
      {"tell", {{"why", kWhys.begin()[static_cast<size_t>(tell.why)]}, {"text", tell.text}}}}));
}

Result<std::optional<Tell>> tell_of(const Payload& note) {
  if (note.place == Payload::Place::kErased) return std::nullopt;
  if (note.size_bytes > 0 && !note.bytes) {
    return fail(Code::kUnavailable, "the bytes of a note are not at hand");
  }
  const auto value = parse_json(note.view(), "note");
  if (!value || !value->is_object()) return std::nullopt;
  const json::value* told = value->get_object().if_contains("tell");
  if (told == nullptr) return std::nullopt;
  ObjectReader in(*told, "note.tell");
  Tell tell;
  tell.why = static_cast<Tell::Why>(in.choice("why", kWhys, 0));
  tell.text = in.string("text");
  TRY_STATUS(in.finish());
  if (tell.text.empty()) return std::nullopt;
  return tell;
}

}  // namespace perdure
