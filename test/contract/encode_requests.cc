// encode_requests SEED COUNT DIALECT: prints that many random requests, encoded, one a line. Equal
// seeds give equal lines.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "model/codec.h"

namespace perdure {
namespace {

// SplitMix64: https://prng.di.unimi.it/splitmix64.c
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  size_t below(size_t bound) { return next() % bound; }
  bool one_in(size_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

std::string text(Random& random, size_t max_pieces) {
  static const std::string kPieces[] = {"order 42",
                                        " ",
                                        "\n",
                                        "\"",
                                        "\\",
                                        "\t",
                                        "\x01",
                                        "gr\xC3\xBC\xC3\x9F",
                                        "\xF0\x9F\x99\x82",
                                        "\xFF",
                                        "</s>",
                                        "{\"a\":1}",
                                        "\xE2\x80\xA8",
                                        "'",
                                        std::string(1, '\0')};
  std::string out;
  for (size_t n = random.below(max_pieces + 1); n > 0; --n) {
    out += kPieces[random.below(std::size(kPieces))];
  }
  return out;
}

std::string tool_name(Random& random) {
  static const char* const kNames[] = {"clock", "shop.find", "shop.find_all",
                                       "a b",   "x/y",       "get-weather"};
  return std::string(kNames[random.below(std::size(kNames))]) + std::to_string(random.below(100));
}

std::string schema(Random& random) {
  static const char* const kSchemas[] = {
      "", R"({"type":"object"})", R"({ "type": "object", "properties": {}, "required": [] })",
      R"({"type":"object","properties":{"id":{"type":"string","enum":["a","b"]},
          "n":{"anyOf":[{"type":"number"},{"type":"null"}]}},"required":["id"],
          "additionalProperties":false,"$defs":{"x":{"type":"array","items":{}}}})"};
  return kSchemas[random.below(std::size(kSchemas))];
}

Message of_role(Message::Role role, std::string words) {
  Message out;
  out.role = role;
  out.text = std::move(words);
  return out;
}

// One turn of the assistant, with an answer to each of its calls.
void add_turn(Random& random, ModelRequest& request) {
  request.messages.push_back(of_role(Message::Role::kUser, text(random, 6)));
  Message assistant = of_role(Message::Role::kAssistant, text(random, 4));
  if (random.one_in(8)) assistant.refusal = "no" + text(random, 3);
  for (size_t n = random.below(4); n > 0; --n) {
    static const char* const kArguments[] = {"", "{}", R"({ "id" : "a" })", "{\"cut\":", "null"};
    assistant.calls.push_back({"call_" + std::to_string(random.next()), tool_name(random),
                               kArguments[random.below(std::size(kArguments))]});
  }
  request.messages.push_back(assistant);
  for (const ToolCall& call : assistant.calls) {
    Message answer = of_role(Message::Role::kTool, text(random, 6));
    answer.call_id = call.id;
    answer.is_error = random.one_in(3);
    request.messages.push_back(answer);
  }
}

ModelRequest request(Random& random) {
  ModelRequest out;
  if (!random.one_in(4)) out.messages.push_back(of_role(Message::Role::kSystem, text(random, 5)));
  for (size_t n = random.below(4); n > 0; --n) add_turn(random, out);
  out.messages.push_back(of_role(Message::Role::kUser, text(random, 9)));
  for (size_t n = random.one_in(3) ? 0 : random.below(6); n > 0; --n) {
    out.tools.push_back({tool_name(random), text(random, 3), schema(random)});
  }
  if (random.one_in(2)) out.max_output_tokens = static_cast<int64_t>(1 + random.below(100'000));
  return out;
}

// Members that the dialect knows.
const char* extra(Random& random, std::string_view dialect) {
  static const char* const kAnthropic[] = {
      "", R"({"temperature":5E-1})", R"({"stop_sequences":["x"],"top_p":1})",
      R"({"metadata":{"user_id":"u"},"tool_choice":{"type":"auto"}})"};
  static const char* const kResponses[] = {
      "", R"({"temperature":5E-1})", R"({"parallel_tool_calls":false,"top_p":1})",
      R"({"metadata":{"a":"b"},"reasoning":{"effort":"low"}})"};
  if (dialect == "anthropic") return kAnthropic[random.below(std::size(kAnthropic))];
  return kResponses[random.below(std::size(kResponses))];
}

ModelConfig config(Random& random, std::string_view dialect) {
  static const char* const kExtra[] = {
      "", "{}", R"({"temperature":5E-1})", R"({"seed":7,"stop":["x"],"top_p":1})",
      R"({"metadata":{"a":"b"},"parallel_tool_calls":false,"reasoning_effort":"low"})"};
  ModelConfig out;
  out.model = random.one_in(2) ? "gpt-4o" : "some/other-model:latest";
  out.extra = kExtra[random.below(std::size(kExtra))];
  if (random.one_in(2)) out.max_tokens_member = ModelConfig::MaxTokensMember::kMaxTokens;
  if (dialect == "openai-chat") return out;
  const bool anthropic = dialect == "anthropic";
  out.provider =
      anthropic ? ModelConfig::Provider::kAnthropic : ModelConfig::Provider::kOpenAiResponses;
  out.extra = extra(random, dialect);
  out.prompt_cache = random.one_in(2);
  out.background = random.one_in(3);
  return out;
}

// What the model said last comes back raw.
void add_raw(Random& random, ModelRequest& request, std::string_view dialect) {
  static const char* const kAnthropic =
      R"([{"type":"thinking","thinking":"hm","signature":"EqQB/+=="},{"type":"redacted_thinking","data":"x"},{"type":"text","text":"a"}])";
  static const char* const kResponses =
      R"([{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"},{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a","annotations":[],"logprobs":[]}]}])";
  for (Message& message : request.messages) {
    if (message.role != Message::Role::kAssistant || !message.calls.empty()) continue;
    if (random.one_in(3)) {
      message.raw = {std::string(dialect), dialect == "anthropic" ? kAnthropic : kResponses};
    }
  }
}

// Schemas may be written over several lines; a line break is white space there and nowhere else.
void print_line(const std::string& body) {
  for (const char c : body) std::fputc(c == '\n' ? ' ' : c, stdout);
  std::fputc('\n', stdout);
}

}  // namespace
}  // namespace perdure

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: encode_requests SEED COUNT DIALECT\n");
    return 2;
  }
  const std::string_view dialect = argv[3];
  perdure::Random random(std::strtoull(argv[1], nullptr, 10));
  for (uint64_t left = std::strtoull(argv[2], nullptr, 10); left > 0; --left) {
    perdure::ModelRequest request = perdure::request(random);
    if (dialect != "openai-chat") perdure::add_raw(random, request, dialect);
    const perdure::ModelConfig config = perdure::config(random, dialect);
    perdure::print_line(perdure::codec_of(config.provider).encode(request, config).body);
  }
  return 0;
}
