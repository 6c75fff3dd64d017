#include <fmt/core.h>

#include <algorithm>

#include "base/reach.h"
#include "journal/command.h"
#include "journal/read_term.h"
#include "script/expressions.h"
#include "script/mentions.h"
#include "script/names.h"
#include "script/program.h"
#include "script/script.h"

namespace perdure {
namespace script {
namespace {

constexpr size_t kOutside = SIZE_MAX;

// First pass: which names the items define. What is malformed is left to the second.
class Definitions {
 public:
  Definitions(Names& steps, Names& timers) : steps_(steps), timers_(timers) {}

  Status collect(const json::array& items, const std::string& where, size_t repeat, int64_t count) {
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string place = fmt::format("{}[{}]", where, i);
      TRY_STATUS(define(items[i], "call", "step", steps_, place, repeat, count));
      TRY_STATUS(define(items[i], "timer", "id", timers_, place, repeat, count));
      if (repeat != kOutside) continue;
      const json::object* item = items[i].if_object();
      const json::value* times = item ? item->if_contains("repeat") : nullptr;
      const json::value* body = item ? item->if_contains("do") : nullptr;
      if (times == nullptr || !times->is_int64() || !body || !body->is_array()) continue;
      const int64_t iterations = std::clamp<int64_t>(times->get_int64(), 1, kRepeatMax);
      TRY_STATUS(collect(body->get_array(), place + ".do", i, iterations));
    }
    return {};
  }

 private:
  static Status define(const json::value& item, std::string_view action, std::string_view member,
                       Names& names, const std::string& place, size_t repeat, int64_t count) {
    const json::object* object = item.if_object();
    const json::value* body = object ? object->if_contains(action) : nullptr;
    const json::object* fields = body ? body->if_object() : nullptr;
    const json::value* name = fields ? fields->if_contains(member) : nullptr;
    if (name == nullptr || !name->is_string()) return {};
    return names.define(std::string(name->get_string()), repeat, count,
                        fmt::format("{}.{}.{}", place, action, member));
  }

  Names& steps_;
  Names& timers_;
};

// Second pass.
class Compiler {
 public:
  Compiler(const Names& steps, const Names& timers, Program& program)
      : names_{steps, timers}, program_(program) {}

  Status compile(const json::array& items, const std::string& where) {
    for (size_t i = 0; i < items.size(); ++i) {
      item_ = i;
      TRY_STATUS(add_item(items[i], fmt::format("{}[{}]", where, i)));
    }
    Operation end;
    end.action = Complete{{.value = {}, .steps = {}, .fixed = Payload::of("null")}};
    push(std::move(end));
    return {};
  }

 private:
  Status add_item(const json::value& item, const std::string& where) {
    if (++items_ > kItemsMax) {
      return fail(Code::kTooLarge, fmt::format("{}: at most {} items", where, kItemsMax));
    }
    ObjectReader in(item, where);
    Operation operation;
    operation.repeat = repeat_;
    if (const json::value* condition = in.value("if")) {
      ConditionReader reader(names_, repeat_);
      TRY_ASSIGN(operation.only_if, reader.read(*condition, where + ".if"));
    }
    const auto chosen = choose(in, where);
    if (!chosen) return tl::unexpected(chosen.error());
    const auto& [action, value] = *chosen;
    const std::string place = fmt::format("{}.{}", where, action);
    if (action == "repeat") return add_repeat(in, item, std::move(operation), where);
    if (in.has("do")) in.fail_at("do", "needs 'repeat'");
    TRY_STATUS(in.finish());
    TRY_STATUS(read_action(action, *value, place, operation));
    push(std::move(operation));
    return {};
  }

  // The one action of an item.
  static Result<std::pair<std::string_view, const json::value*>> choose(ObjectReader& in,
                                                                        const std::string& where) {
    constexpr std::string_view kActions[] = {"call",     "timer", "note",  "await",
                                             "complete", "fail",  "repeat"};
    std::pair<std::string_view, const json::value*> chosen;
    for (const std::string_view action : kActions) {
      const json::value* value = in.value(action);
      if (value == nullptr) continue;
      if (chosen.second != nullptr) {
        return fail(Code::kInvalid, fmt::format("{}: '{}' and '{}', an item has one action", where,
                                                chosen.first, action));
      }
      chosen = {action, value};
    }
    if (chosen.second != nullptr) return chosen;
    TRY_STATUS(in.finish());
    return fail(Code::kInvalid, where +
                                    ": expected one of call, timer, note, await, complete, "
                                    "fail, repeat");
  }

  Status read_action(std::string_view action, const json::value& value, const std::string& where,
                     Operation& out) {
    if (action == "call") {
      TRY_ASSIGN(out.action, read_call(value, where));
    } else if (action == "timer") {
      TRY_ASSIGN(out.action, read_timer(value, where));
    } else if (action == "note") {
      TRY_ASSIGN(Template note, read_template(value, where));
      out.action = Note{std::move(note)};
    } else if (action == "await") {
      AwaitReader reader(names_, repeat_);
      TRY_ASSIGN(AwaitName what, reader.read(value, where));
      out.action = Wait{std::move(what)};
    } else if (action == "complete") {
      TRY_ASSIGN(Template result, read_template(value, where));
      out.action = Complete{std::move(result)};
    } else {
      if (!value.is_string() || value.get_string().size() > kRemarkMaxBytes) {
        return fail(Code::kInvalid, fmt::format("{}: expected a string of at most {} bytes", where,
                                                kRemarkMaxBytes));
      }
      out.action = Fail{std::string(value.get_string())};
    }
    return {};
  }

  Result<Call> read_call(const json::value& value, const std::string& where) {
    ObjectReader in(value, where);
    Call call;
    call.step = {in.string("step"), repeat_ != kOutside};
    const bool model = in.has("model");
    if (model && in.has("tool")) in.fail_at("model", "a call has a tool or a model");
    call.kind = model ? CallKind::kModel : CallKind::kTool;
    call.name = model ? in.string("model") : in.string("tool");
    in.string(model ? "tool" : "model", "");
    if (in.ok() && (call.name.empty() || call.name.size() > kNameMaxBytes)) {
      in.fail_at(model ? "model" : "tool", fmt::format("expected 1 to {} bytes", kNameMaxBytes));
    }
    const json::value* args = in.value("args");
    call.executed_by =
        read_term<ExecutedBy::kEngine, ExecutedBy::kPlanner>(in, "executor", ExecutedBy::kEngine);
    call.outcome =
        read_term<Outcome::kSucceeded, Outcome::kFailed>(in, "outcome", Outcome::kSucceeded);
    const bool by_planner = call.executed_by == ExecutedBy::kPlanner;
    const json::value* result = in.value("result");
    for (const char* member : {"outcome", "result"}) {
      if (!by_planner && in.has(member)) {
        in.fail_at(member, "only of a call whose executor is the planner");
      }
    }
    TRY_STATUS(in.finish());
    TRY_ASSIGN(call.args, read_template(args ? *args : json::object(), where + ".args"));
    if (result != nullptr) {
      TRY_ASSIGN(call.result, read_template(*result, where + ".result"));
    }
    return call;
  }

  Result<Timer> read_timer(const json::value& value, const std::string& where) {
    ObjectReader in(value, where);
    Timer timer;
    timer.timer = {in.string("id"), repeat_ != kOutside};
    if (in.has("after_ms") == in.has("at_ms")) {
      in.fail_at("after_ms", "expected one of after_ms and at_ms");
    }
    timer.after_ms = in.integer("after_ms", 0, kWaitMaxMs, 0);
    timer.at_ms = in.integer("at_ms", 1, kTimeMaxMs, 0);
    TRY_STATUS(in.finish());
    return timer;
  }

  Result<Template> read_template(const json::value& value, const std::string& where) {
    return script::read_template(value, names_, repeat_, where);
  }

  Status add_repeat(ObjectReader& in, const json::value& item, Operation enter,
                    const std::string& where) {
    if (repeat_ != kOutside) {
      return fail(Code::kInvalid, where + ".repeat: stands inside another repeat");
    }
    const int64_t count = in.integer("repeat", 1, kRepeatMax);
    const json::array* body = in.array("do");
    if (body == nullptr || body->empty()) in.fail_at("do", "expected the items to repeat");
    TRY_STATUS(in.finish());
    // Integral doubles are numbers too, but the first pass took none for a count.
    if (!item.get_object().at("repeat").is_int64()) {
      return fail(Code::kInvalid, where + ".repeat: expected a whole number");
    }
    enter.action = Enter{};
    const size_t entry = push(std::move(enter));
    const size_t first = entry + 1;
    const size_t outer = std::exchange(repeat_, item_);
    for (size_t i = 0; i < body->size(); ++i) {
      TRY_STATUS(add_item((*body)[i], fmt::format("{}.do[{}]", where, i)));
    }
    Operation loop;
    loop.repeat = std::exchange(repeat_, outer);
    loop.action = Loop{first, count};
    program_.operations[entry].otherwise = push(std::move(loop)) + 1;
    return {};
  }

  size_t push(Operation operation) {
    const size_t at = program_.operations.size();
    operation.otherwise = at + 1;
    program_.operations.push_back(std::move(operation));
    return at;
  }

  Scope names_;
  Program& program_;
  size_t items_ = 0;
  size_t item_ = 0;  // at the top level: names its repeat
  size_t repeat_ = kOutside;
};

Result<Program> compile(std::string_view input) {
  TRY_ASSIGN(const json::value root, parse_json(input, "input"));
  ObjectReader in(root, "input");
  Program program;
  const json::array* items = in.array("script");
  if (!in.has("script")) in.fail_at("script", "is missing");
  program.guarded = in.boolean("guarded", false);
  TRY_STATUS(in.finish());
  Names steps("step");
  Names timers("timer");
  TRY_STATUS(Definitions(steps, timers).collect(*items, "script", kOutside, 1));
  TRY_STATUS(steps.check());
  TRY_STATUS(timers.check());
  TRY_STATUS(Compiler(steps, timers, program).compile(*items, "script"));
  find_mentions(program);
  return program;
}

}  // namespace

}  // namespace script

Result<Script> Script::parse(std::string_view input_json) {
  TRY_ASSIGN(script::Program program, script::compile(input_json));
  return Script(std::make_shared<const script::Program>(std::move(program)));
}

}  // namespace perdure
