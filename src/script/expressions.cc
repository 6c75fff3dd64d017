#include "script/expressions.h"

#include <fmt/core.h>

namespace perdure::script {
namespace {

Status collect_steps(const json::value& value, const Scope& scope, size_t repeat,
                     const std::string& where, Template& read) {
  if (const auto* array = value.if_array()) {
    for (const json::value& item : *array) {
      TRY_STATUS(collect_steps(item, scope, repeat, where, read));
    }
  }
  const auto* object = value.if_object();
  if (object == nullptr) return {};
  const json::value* step = object->if_contains("$result");
  if (step == nullptr) {
    for (const auto& member : *object) {
      TRY_STATUS(collect_steps(member.value(), scope, repeat, where, read));
    }
    return {};
  }
  if (!step->is_string() || object->size() != 1) {
    return fail(Code::kInvalid, where + ": expected {\"$result\": step} without other members");
  }
  const std::string text(step->get_string());
  Template::Use& use = read.steps[text];
  TRY_ASSIGN(use.step, scope.steps.resolve(text, repeat, where));
  ++use.times;
  return {};
}

// A whole pointer is checked here, so that one that names nothing is no error later.
bool is_pointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') continue;
    if (i + 1 >= text.size() || (text[i + 1] != '0' && text[i + 1] != '1')) return false;
  }
  return true;
}

}  // namespace

Result<Template> read_template(const json::value& value, const Scope& scope, size_t repeat,
                               const std::string& where) {
  Template read;
  TRY_STATUS(collect_steps(value, scope, repeat, where, read));
  if (read.steps.empty()) {
    read.fixed = Payload::of(to_canonical_json(value));
  } else {
    read.value = value;
  }
  return read;
}

Result<Condition> ConditionReader::read(const json::value& value, const std::string& where) {
  ObjectReader in(value, where);
  if (in.has("not")) {
    const json::value* inner = in.value("not");
    TRY_STATUS(in.finish());
    Condition condition;
    condition.op = Condition::Op::kNot;
    TRY_ASSIGN(Condition part, read(*inner, where + ".not"));
    condition.of.push_back(std::move(part));
    return condition;
  }
  for (const auto& [member, op] :
       {std::pair("all", Condition::Op::kAll), {"any", Condition::Op::kAny}}) {
    if (!in.has(member)) continue;
    const json::array* parts = in.array(member);
    if (parts != nullptr && parts->empty()) in.fail_at(member, "is empty");
    TRY_STATUS(in.finish());
    return read_parts(op, *parts, fmt::format("{}.{}", where, member));
  }
  return read_step(value, where);
}

Result<Condition> ConditionReader::read_parts(Condition::Op op, const json::array& parts,
                                              const std::string& where) {
  Condition condition;
  condition.op = op;
  for (size_t i = 0; i < parts.size(); ++i) {
    TRY_ASSIGN(Condition part, read(parts[i], fmt::format("{}[{}]", where, i)));
    condition.of.push_back(std::move(part));
  }
  return condition;
}

Result<Condition> ConditionReader::read_step(const json::value& value, const std::string& where) {
  static constexpr std::initializer_list<std::string_view> kOutcomes = {"succeeded", "failed",
                                                                        "denied", "unknown"};
  ObjectReader in(value, where);
  Condition condition;
  const std::string step = in.string("step");
  condition.outcome = kOutcomes.begin()[in.choice("is", kOutcomes, 0)];
  if (!in.has("is")) in.fail_at("is", "is missing");
  condition.at = in.string("at", "");
  if (const json::value* equals = in.value("equals")) condition.equals = to_canonical_json(*equals);
  if (in.has("at") && !condition.equals) in.fail_at("at", "needs 'equals'");
  if (!is_pointer(condition.at)) in.fail_at("at", "not a JSON Pointer");
  // Named so that a misspelt 'not' is told.
  for (const char* other : {"not", "all", "any"}) in.value(other);
  TRY_STATUS(in.finish());
  TRY_ASSIGN(condition.step, scope_.steps.resolve(step, repeat_, where + ".step"));
  return condition;
}

Result<AwaitName> AwaitReader::read(const json::value& value, const std::string& where,
                                    size_t depth) {
  if (depth > kAwaitMaxDepth || ++nodes_ > kAwaitMaxNodes) {
    return fail(Code::kTooLarge, fmt::format("{}: at most {} deep, {} parts", where, kAwaitMaxDepth,
                                             kAwaitMaxNodes));
  }
  if (!value.is_string()) return read_object(value, where, depth);
  const std::string text(value.get_string());
  if (text == "news") return AwaitName{};
  AwaitName step;
  step.op = Await::Op::kStep;
  TRY_ASSIGN(step.name, scope_.steps.resolve(text, repeat_, where));
  return step;
}

Result<AwaitName> AwaitReader::read_object(const json::value& value, const std::string& where,
                                           size_t depth) {
  ObjectReader in(value, where);
  AwaitName await;
  const bool step = in.has("step");
  const std::string step_name = in.string("step", "");
  const bool timer = in.has("timer");
  const std::string timer_name = in.string("timer", "");
  const json::array* any = in.array("any");
  const json::array* all = in.array("all");
  TRY_STATUS(in.finish());
  if (step + timer + (any != nullptr) + (all != nullptr) != 1) {
    return fail(Code::kInvalid, where + ": expected one of step, timer, any, all");
  }
  if (step || timer) {
    await.op = step ? Await::Op::kStep : Await::Op::kTimer;
    const Names& names = step ? scope_.steps : scope_.timers;
    TRY_ASSIGN(await.name, names.resolve(step ? step_name : timer_name, repeat_,
                                         where + (step ? ".step" : ".timer")));
    return await;
  }
  await.op = any != nullptr ? Await::Op::kAny : Await::Op::kAll;
  const std::string place = where + (any != nullptr ? ".any" : ".all");
  const json::array& parts = any != nullptr ? *any : *all;
  if (parts.empty()) return fail(Code::kInvalid, place + ": is empty");
  for (size_t i = 0; i < parts.size(); ++i) {
    TRY_ASSIGN(AwaitName part, read(parts[i], fmt::format("{}[{}]", place, i), depth + 1));
    await.of.push_back(std::move(part));
  }
  return await;
}

}  // namespace perdure::script
