#include "telemetry/task_trace.h"

#include <gtest/gtest.h>

#include "journal/message_json.h"

namespace perdure::telemetry {
namespace {

const ModelNames kNames = {{"main", {"aws.bedrock", "some.model"}}};

// A journal of one task; the clock moves one second a record.
class Journal {
 public:
  explicit Journal(uint64_t number = 1) : task(TaskId::make(1'000'000, number, number)) {
    TaskCreated created;
    created.agent = "refunds";
    created.agent_version = "v1";
    add(created);
  }
  template <class Body>
  Seq add(Body body) {
    records.push_back({records.size() + 1, 1'000'000 + 1000 * static_cast<int64_t>(records.size()),
                       std::move(body)});
    return records.back().seq;
  }
  Seq plan(StepId step, CallKind kind, std::string name) {
    StepPlanned body;
    body.step = std::move(step);
    body.kind = kind;
    body.name = std::move(name);
    return add(std::move(body));
  }
  Seq intend(StepId step, uint32_t attempt) {
    StepIntended body;
    body.step = std::move(step);
    body.attempt = attempt;
    return add(std::move(body));
  }
  Seq settle(StepId step, Outcome outcome, FailureClass failure = FailureClass::kNone,
             std::string result = "", std::optional<Usage> used = {}) {
    StepSettled body;
    body.step = std::move(step);
    body.outcome = outcome;
    body.failure = failure;
    body.detail = "private words";
    body.used = used;
    if (!result.empty()) body.result = Payload::of(std::move(result));
    return add(std::move(body));
  }
  std::vector<Span> spans(size_t from = 0) const {
    TaskTrace trace(task, kNames);
    std::vector<Span> out;
    for (const Record& record : records) {
      for (Span& span : trace.add(record)) {
        if (record.seq > from) out.push_back(std::move(span));
      }
    }
    return out;
  }

  TaskId task;
  std::vector<Record> records;
};

template <class T>
std::optional<T> attribute(const Span& span, std::string_view key) {
  for (const Attribute& item : span.attributes) {
    if (item.key == key && std::holds_alternative<T>(item.value)) return std::get<T>(item.value);
  }
  return std::nullopt;
}

Journal whole_task() {
  Journal journal;
  journal.plan("m1", CallKind::kModel, "main");
  journal.intend("m1", 1);
  journal.settle("m1", Outcome::kDeferred, FailureClass::kRateLimit);
  journal.intend("m1", 2);
  ModelAnswer answer;
  answer.text = "private words";
  answer.model = "some.model-2";
  answer.response_id = "r-1";
  answer.stop = ModelAnswer::Stop::kToolCalls;
  answer.calls = {{"c", "pay", "{}"}};
  answer.cached_input_tokens = 3;
  journal.settle(
      "m1", Outcome::kSucceeded, FailureClass::kNone, answer_to_json(answer),
      Usage{.cost_micro_usd = 1500, .model_calls = 1, .input_tokens = 10, .output_tokens = 2});
  journal.plan("t1", CallKind::kTool, "pay");
  InterruptRequested question;
  question.step = "t1";
  question.message = "private words";
  const Seq asked = journal.add(question);
  InterruptResolved decided;
  decided.interrupt_seq = asked;
  decided.decision = Decision::kApprove;
  decided.message = "private words";
  journal.add(decided);
  journal.intend("t1", 1);
  journal.settle("t1", Outcome::kInDoubt, FailureClass::kAmbiguous);
  TaskEnded ended;
  ended.message = "private words";
  journal.add(ended);
  return journal;
}

TEST(TaskTrace, HasASpanForWhatTookTime) {
  const Journal journal = whole_task();
  const auto spans = journal.spans();
  ASSERT_EQ(spans.size(), 5u);
  std::vector<std::string> names;
  for (const Span& span : spans) names.push_back(span.name);
  EXPECT_EQ(names, (std::vector<std::string>{"chat some.model", "chat some.model",
                                             "wait_for_person tool_approval", "execute_tool pay",
                                             "invoke_agent refunds"}));
  const Span& root = spans.back();
  EXPECT_EQ(root.trace_id, journal.task.view());
  EXPECT_EQ(root.parent_id, "");
  EXPECT_EQ(root.start_ms, 1'000'000);
  EXPECT_EQ(root.end_ms, journal.records.back().at_ms);
  EXPECT_TRUE(root.failed);
  EXPECT_EQ(attribute<int64_t>(root, "perdure.task.model_calls"), 2);
  for (size_t i = 0; i + 1 < spans.size(); ++i) {
    EXPECT_EQ(spans[i].trace_id, root.trace_id);
    EXPECT_EQ(spans[i].parent_id, root.span_id);
    EXPECT_LT(spans[i].start_ms, spans[i].end_ms);
  }
}

TEST(TaskTrace, AttemptsAreSpansOfTheirOwn) {
  const auto spans = whole_task().spans();
  EXPECT_TRUE(spans[0].failed);
  EXPECT_EQ(attribute<std::string>(spans[0], "error.type"), "rate_limit");
  EXPECT_EQ(attribute<int64_t>(spans[0], "perdure.attempt"), 1);
  EXPECT_FALSE(spans[1].failed);
  EXPECT_EQ(attribute<int64_t>(spans[1], "perdure.attempt"), 2);
  EXPECT_NE(spans[0].span_id, spans[1].span_id);
  EXPECT_EQ(spans[1].kind, Span::Kind::kClient);
  EXPECT_EQ(attribute<std::string>(spans[1], "gen_ai.provider.name"), "aws.bedrock");
  EXPECT_EQ(attribute<std::string>(spans[1], "gen_ai.response.model"), "some.model-2");
  EXPECT_EQ(attribute<int64_t>(spans[1], "gen_ai.usage.input_tokens"), 10);
  EXPECT_EQ(attribute<int64_t>(spans[1], "gen_ai.usage.cache_read.input_tokens"), 3);
  EXPECT_EQ(attribute<double>(spans[1], "perdure.cost_usd"), 0.0015);
  EXPECT_EQ(attribute<std::vector<std::string>>(spans[1], "gen_ai.response.finish_reasons"),
            std::vector<std::string>{"tool_calls"});
  EXPECT_EQ(attribute<std::string>(spans[3], "error.type"), "ambiguous");
}

TEST(TaskTrace, SaysNothingThatWasSaid) {
  EXPECT_EQ(to_otlp_json(whole_task().spans(), "1").find("private words"), std::string::npos);
}

TEST(TaskTrace, IsTheSameWhoeverReadsIt) {
  const Journal journal = whole_task();
  EXPECT_EQ(to_otlp_json(journal.spans(), "1"), to_otlp_json(journal.spans(), "1"));
  EXPECT_EQ(journal.spans(10).front().span_id, journal.spans()[3].span_id);
  EXPECT_NE(Journal(1).task.view(), Journal(2).task.view());
}

TEST(TaskTrace, ReadsJournalsOfAnyShape) {
  Journal journal;
  journal.settle("unknown", Outcome::kSucceeded);
  journal.intend("unknown", 1);
  journal.plan("own", CallKind::kTool, "local");
  journal.settle("own", Outcome::kSucceeded);  // by the planner itself: no intent
  journal.plan("m", CallKind::kModel, "not configured");
  journal.intend("m", 1);
  journal.settle("m", Outcome::kSucceeded, FailureClass::kNone, "not an answer");
  InterruptResolved unasked;
  unasked.interrupt_seq = 99;
  journal.add(unasked);
  const auto spans = journal.spans();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].name, "execute_tool local");
  EXPECT_EQ(spans[0].start_ms, spans[0].end_ms);
  EXPECT_EQ(spans[1].name, "chat not configured");
}

}  // namespace
}  // namespace perdure::telemetry
