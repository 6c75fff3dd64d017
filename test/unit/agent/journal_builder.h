#pragma once
// Writes journals of agents by hand, and shows what the fold makes of them.
#include <string>
#include <utility>
#include <vector>

#include "agent/agent_spec.h"
#include "agent/transcript.h"
#include "journal/command.h"
#include "journal/record.h"

namespace perdure::test {

// Tools: look, pay, ship. `ship` is always asked about.
AgentSpec shop_agent(std::vector<std::string> models = {"main"});
// The same with two models, whose answer must be an object with the member `done`.
AgentSpec strict_agent();

class JournalBuilder {
 public:
  Seq add(RecordBody body);

  JournalBuilder& created(std::string input);
  JournalBuilder& model_planned(uint64_t turn, std::string model = "main");
  JournalBuilder& answered(uint64_t turn, const ModelAnswer& answer, std::string model = "main");
  // What the turn's actions leave in the journal at once, and that it was accepted.
  JournalBuilder& accepted(const AnswerTurn& turn);
  JournalBuilder& tool_planned(std::string step, std::string name,
                               Verdict verdict = Verdict::kAllow, std::string reason = "");
  JournalBuilder& settled(std::string step, Outcome outcome, std::string result = "",
                          FailureClass failure = FailureClass::kNone, std::string detail = "");
  JournalBuilder& closed(std::string step, EffectState state, std::string reason = "",
                         std::string same_as = "");
  // A question, and its answer in the next record.
  JournalBuilder& decided(std::string step, InterruptReason reason, Decision decision,
                          std::string message = "", std::string result = "");

  const std::vector<Record>& records() const { return records_; }

 private:
  std::vector<Record> records_;
};

ModelAnswer answer_with(std::string text, std::vector<ToolCall> calls = {},
                        ModelAnswer::Stop stop = ModelAnswer::Stop::kEndTurn);

Transcript fold(const std::vector<Record>& records, InlineRules results = {});

// One line a message: "user: hi", "assistant: text [id name args]", "tool id: text",
// "tool! id: text" for an error.
std::string show(const std::vector<Message>& messages);
std::string show(const Action& action);
std::string show(const AnswerTurn& turn);

}  // namespace perdure::test
