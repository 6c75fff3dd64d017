#include "world.h"

#include <fmt/core.h>

#include <cstring>

#include "base/json.h"
#include "base/text.h"
#include "core/evolve.h"
#include "process.h"
#include "shop.h"

namespace perdure::sim {
namespace {

std::string decision_text(const Resolve& decision) {
  json::object body{{"decision", to_string(decision.decision)}};
  if (!decision.message.empty()) body["message"] = decision.message;
  if (decision.remember) body["remember"] = true;
  if (decision.add != Usage{}) {
    body["add"] = {{"cost_usd", static_cast<double>(decision.add.cost_micro_usd) / 1e6},
                   {"model_calls", decision.add.model_calls},
                   {"tool_calls", decision.add.tool_calls}};
  }
  const char* given = decision.decision == Decision::kEdit      ? "args"
                      : decision.decision == Decision::kRespond ? "value"
                                                                : "result";
  if (decision.given.exists()) body[given] = *parse_json(decision.given.view(), "given");
  if (decision.args_hash) body["args_sha256"] = to_hex(decision.args_hash->view());
  return to_json(body);
}

}  // namespace

World::World(uint64_t seed, Trace::Text text)
    : dice_(seed * 0x2545f4914f6cdd1d + 1),
      knobs_(Knobs::draw(dice_)),
      decay_dice_(seed * 0x9e3779b97f4a7c15 + 3),
      flips_left_(decay_dice_.below(12) == 0 ? decay_dice_.between(1, 2) : 0),
      trace_(text),
      clock_(schedule_),
      evidence_{tasks_, disk_, oracle_, clock_, answers_, verdict_},
      network_(*this),
      people_(*this),
      readers_(*this),
      clients_(*this) {
  add_journal_checkers(checkers_, evidence_);
  add_effect_checkers(checkers_, evidence_);
  add_decision_checkers(checkers_, evidence_);
  add_turn_checkers(checkers_, evidence_);
  add_time_checkers(checkers_, evidence_);
  add_budget_checkers(checkers_, evidence_);
  add_ack_checkers(checkers_, evidence_);
  add_row_checkers(checkers_, evidence_);
  add_damage_checkers(checkers_, evidence_);
  setup_ = make_setup(knobs_, dice_);
  tools_ = tool_names(setup_);
  for (const HttpToolConfig& tool : setup_.tools) {
    horizons_[tool.name] = tool.contract.horizon_ms;
  }
  disk_.rows.secret = std::string(32, 's');
  if (text == Trace::Text::kAll) fmt::print("seed {}: {}\n", seed, knobs_.describe());
}

World::~World() {
  process_.reset();
}

uint64_t World::number_of(const TaskId& task) {
  uint64_t number = 0;
  for (size_t i = 8; i < 16; ++i) number = number << 8 | task.bytes[i];
  return number;
}

std::string World::name_of_task(const TaskId& task) const {
  if (task.is_zero()) return {};
  const auto seen = tasks_.find(task);
  const std::string tag = seen == tasks_.end() ? std::string() : tag_of(seen->second);
  return (tag.empty() ? task.to_string().substr(20) : tag) + ": ";
}

void World::after(int64_t delay_us, std::string_view what, std::function<void()> event) {
  schedule_.after(delay_us, [this, what, event = std::move(event)] {
    trace_.tick(now_us(), what);
    event();
  });
}

void World::in_process(int64_t delay_us, std::string_view what, std::function<void()> event) {
  schedule_.after(delay_us, [this, what, life = lives_, event = std::move(event)] {
    if (life != lives_ || !process_) return;
    trace_.tick(now_us(), what);
    event();
  });
}

bool World::output(std::string_view what, const TaskId& task) {
  if (doomed_) return false;
  if (!dice_.chance(knobs_.crash_at_output)) return true;
  trace("dies at output", task, 0, [&] { return std::string(what); });
  probe(Probe::kCrashAtOutput);
  doomed_ = true;
  return false;
}

void World::ask(api::Request request, std::shared_ptr<Line> line) {
  if (!process_ || doomed_) return;
  trace("asks over HTTP", {}, request.body.size(), [&] {
    return fmt::format("{} {} {}", request.method, request.target, request.body.substr(0, 80));
  });
  process_->web().handle(std::move(request), std::move(line));
}

void World::submit(engine::NewTask task) {
  if (!process_ || doomed_) return;
  trace("submit", {}, 0, [&] { return task.submit.metadata + " to " + task.submit.planner; });
  process_->engine().submit(std::move(task));
}

void World::command(const TaskId& task, Command command, Said said) {
  if (!process_ || doomed_) return;
  trace("command", task, command.index(),
        [&] { return fmt::format("command {}", command.index()); });
  process_->engine().command(task, command,
                             [this, command, said](const Result<engine::Submitted>& result) {
                               if (!result || !output("answer", result->task)) return;
                               acknowledged({*result, command, {}, {}});
                               if (said) said(*result);
                             });
}

void World::decide(const TaskId& task, const Resolve& decision, InterruptReason reason,
                   bool wrong_args) {
  if (!process_ || doomed_) return;
  trace("decides", task, static_cast<uint64_t>(decision.decision), [&] {
    return fmt::format("{} to question {} ({})", to_string(decision.decision),
                       decision.interrupt_seq, to_string(reason));
  });
  if (dice_.chance(knobs_.over_http)) return decide_over_http(task, decision, wrong_args);
  const SeenTask& seen = tasks_.at(task);
  const auto asked = seen.asked.find(decision.interrupt_seq);
  const auto step =
      asked == seen.asked.end() ? seen.steps.end() : seen.steps.find(asked->second.step);
  const std::string tool = step == seen.steps.end() ? std::string() : step->second.plan.name;
  process_->engine().resolve(
      task, {seen.created.tenant, seen.created.agent_version, tool, {}}, decision,
      [this, decision, wrong_args](const Result<engine::Submitted>& result) {
        const bool denied = !result && result.error().code == Code::kInvalid;
        if (denied && decision.decision == Decision::kEdit) probe(Probe::kEditDenied);
        if (!result) {
          if (result.error().code != Code::kConflict) return;
          probe(wrong_args ? Probe::kWrongArguments : Probe::kDecisionContradicted);
          return;
        }
        if (!output("answer", result->task)) return;
        if (wrong_args && !result->repeated) {
          verdict_.violation("approval_once",
                             "a decision about other arguments than the step's is accepted");
        }
        if (result->repeated) probe(Probe::kDecisionRepeated);
        acknowledged({*result, decision, {}, {}});
      });
}

void World::decide_over_http(const TaskId& task, const Resolve& decision, bool wrong_args) {
  const std::string id = InterruptId{task, decision.interrupt_seq}.to_string();
  const auto line = std::make_shared<Line>(
      *this, [this, task, decision, wrong_args](const api::Response& response) {
        if (response.status == 409) {
          probe(wrong_args ? Probe::kWrongArguments : Probe::kDecisionContradicted);
        }
        if (response.status != 200) return;
        const bool repeated = response.body.find(R"("repeated":true)") != std::string::npos;
        if (wrong_args && !repeated) {
          verdict_.violation("approval_once",
                             "a decision about other arguments than the step's is accepted");
        }
        if (repeated) probe(Probe::kDecisionRepeated);
        acknowledged({{task, repeated, 0}, decision, {}, {}});
      });
  ask(request_of("POST", "/v1/interrupts/" + id + "/resolve", decision_text(decision)), line);
}

void World::answer_turn(const TaskId& task, const AnswerTurn& turn, std::string_view how) {
  if (!process_ || doomed_) return;
  trace("turn", task, turn.turn, [&] { return fmt::format("{} turn {}", how, turn.turn); });
  process_->engine().answer(task, "t", "", turn,
                            [this, turn](const Result<engine::Submitted>& result) {
                              if (!result) {
                                if (result.error().code == Code::kConflict)
                                  probe(Probe::kStaleTurn);
                                return;
                              }
                              if (!output("answer", result->task)) return;
                              if (result->repeated) probe(Probe::kRepeatedTurn);
                              acknowledged({*result, turn, {}, {}});
                            });
}

void World::late_answer(const TaskId& task, SettleStep settle) {
  command(task, std::move(settle));
}

void World::acknowledged(const Ack& ack) {
  trace("acknowledged", ack.result.task, ack.result.head, [&] {
    return fmt::format("command {} at {}{}", ack.command.index(), ack.result.head,
                       ack.result.repeated ? ", again" : "");
  });
  for (const auto& checker : checkers_) checker->on_ack(ack);
}

void World::remember_answer(const TaskId& task, uint64_t turn, const Sha256& hash,
                            std::vector<std::string> names) {
  answers_[{task, turn, hash}] = std::move(names);
}

void World::written(const Sent& sent) {
  trace("written", sent.task, sent.attempt,
        [&] { return fmt::format("{} step {} attempt {}", sent.tool, sent.step, sent.attempt); });
  for (const auto& checker : checkers_) checker->on_written(sent);
  oracle_.keys.emplace(sent.key, std::pair(Position{sent.task, sent.step}, sent.group));
}

void World::model_request_written(std::string_view body) {
  const std::string tag = tag_in(body);
  trace("model asked", {}, body.size(), [&] { return tag; });
  ++oracle_.model_written[tag];
  for (const auto& checker : checkers_) checker->on_model_written(tag);
  for (const auto& checker : checkers_) checker->on_step_asks_model(tag, step_in(body));
}

void World::applied(const Sent& sent) {
  trace("applied", sent.task, sent.attempt,
        [&] { return fmt::format("{} step {} attempt {}", sent.tool, sent.step, sent.attempt); });
  oracle_.applied[{sent.task, sent.step}].push_back({now_us(), sent.key, sent.attempt});
  for (const auto& checker : checkers_) checker->on_applied(sent);
}

void World::make_durable(const Batch& batch) {
  disk_.rows.apply(batch);
  for (const Frame& frame : batch.frames) {
    SeenTask& seen = tasks_[frame.task];
    seen.id = frame.task;
    core::TaskState& folded = folded_[frame.task];
    folded.id = frame.task;
    const auto records = decode_frame(frame);
    if (!records) return verdict_.violation("journal_prefix", records.error().message);
    for (const auto& checker : checkers_) checker->on_frame(seen, frame, *records);
    for (const Record& record : *records) {
      trace("record", frame.task, record.seq, [&] { return describe(record); });
      for (const auto& checker : checkers_) checker->on_record(seen, record);
      take_note(seen, record);
      note(seen, record);
      if (const Status evolved = core::evolve(folded, record); !evolved) {
        verdict_.violation("replay_equal",
                           fmt::format("{} record {} cannot be folded: {}", frame.task.to_string(),
                                       record.seq, evolved.error().message));
      }
    }
    seen.chain = frame.chain;
    seen.epoch = frame.epoch;
    if (process_) process_->touch(frame.task);
  }
  for (const auto& checker : checkers_) checker->on_commit(batch);
}

void World::loads(const TaskId& task) {
  if (process_) process_->touch(task);
}

std::string World::random_tool() {
  return dice_.pick(tools_);
}

int64_t World::horizon_of(const std::string& tool) const {
  const auto found = horizons_.find(tool);
  return found == horizons_.end() ? 0 : found->second;
}

}  // namespace perdure::sim
