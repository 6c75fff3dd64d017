#include "engine/damage.h"

#include <fmt/core.h>

#include "base/json.h"
#include "journal/read_term.h"

namespace perdure::engine {
namespace {

json::object json_of(const OpenEffect& effect) {
  return {{"step", effect.step},       {"kind", to_string(effect.kind)},
          {"name", effect.name},       {"effect", to_string(effect.effect)},
          {"attempt", effect.attempt}, {"intended_ms", effect.intended_ms},
          {"key", effect.key}};
}

OpenEffect effect_of(const json::value& value) {
  using enum CallKind;
  using enum EffectClass;
  ObjectReader in(value, "effect");
  OpenEffect effect;
  effect.step = in.string("step", "");
  effect.kind = read_term<kModel, kTool>(in, "kind", kTool);
  effect.name = in.string("name", "");
  effect.effect = read_term<kRead, kRepeat, kIdempotent, kProbe, kOnce>(in, "effect", kOnce);
  effect.attempt = static_cast<uint32_t>(in.integer("attempt", 0, UINT32_MAX, 0));
  effect.intended_ms = in.integer("intended_ms", 0, INT64_MAX, 0);
  effect.key = in.string("key", "");
  return effect;
}

}  // namespace

KeptRow row_of(const Damage& damage) {
  json::array effects;
  for (const OpenEffect& effect : damage.effects) effects.push_back(json_of(effect));
  return {kDamageKind, damage.tenant, damage.task.to_string(),
          to_json(json::object{{"record", damage.record},
                               {"what", damage.what},
                               {"found_ms", damage.found_ms},
                               {"ended_by", damage.ended_by},
                               {"ended_ms", damage.ended_ms},
                               {"effects", std::move(effects)}})};
}

std::optional<Damage> damage_of(const KeptRow& row) {
  const auto task = TaskId::parse(row.name);
  if (!task) return std::nullopt;
  Damage damage;
  damage.task = *task;
  damage.tenant = row.tenant;
  damage.what = "what is known of its damage is damaged itself";
  if (row.damaged) return damage;
  const auto value = parse_json(row.value, "damage");
  if (!value) return damage;
  ObjectReader in(*value, "damage");
  damage.record = static_cast<Seq>(in.integer("record", 0, INT64_MAX, 0));
  damage.what = in.string("what", "");
  damage.found_ms = in.integer("found_ms", 0, INT64_MAX, 0);
  damage.ended_by = in.string("ended_by", "");
  damage.ended_ms = in.integer("ended_ms", 0, INT64_MAX, 0);
  if (const json::array* effects = in.array("effects")) {
    for (const json::value& effect : *effects) damage.effects.push_back(effect_of(effect));
  }
  return damage;
}

Error error_of(const Damage& damage) {
  const std::string place =
      damage.record == 0 ? std::string() : fmt::format(" at record {}", damage.record);
  if (damage.is_ended()) {
    return {
        Code::kCorrupt,
        fmt::format("task {} is damaged{}: {}. {} has ended it as it was: `perdure tasks show {}` "
                    "says what may have happened",
                    damage.task.to_string(), place, damage.what, damage.ended_by,
                    damage.task.to_string())};
  }
  return {Code::kCorrupt,
          fmt::format("task {} is damaged{}: {}. It stands still. Restore a backup, or end it: "
                      "`perdure tasks end-damaged {}`",
                      damage.task.to_string(), place, damage.what, damage.task.to_string())};
}

}  // namespace perdure::engine
