// perdure tasks submit AGENT INPUT_JSON
#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int kWaitSeconds = 20;  // of one request; then it is asked again

int status_of(const json::object& task) {
  const std::string status = text_at(task, "status");
  if (status == "failed" || status == "cancelled") return kFailed;
  return status == "input_required" ? kIsAsking : kDone;
}

bool is_settled(const json::object& task) {
  return status_of(task) != kDone || text_at(task, "status") == "completed";
}

// RFC 8941: a string, so that any printable key can be sent.
Result<std::string> quoted(const std::string& key) {
  std::string out = "\"";
  for (const char c : key) {
    if (c < 0x20 || c > 0x7E) return fail(Code::kInvalid, "--key: printable ASCII characters only");
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

Result<Answer> send(Client& client, const SubmitFlags& flags) {
  auto input = parse_json(flags.input_json, "INPUT_JSON", {.size_bytes = 64u << 20});
  if (!input) {
    return fail(Code::kInvalid, input.error().message + "; text is written as '\"text\"'");
  }
  Client::Headers headers;
  if (!flags.key.empty()) {
    TRY_ASSIGN(std::string key, quoted(flags.key));
    headers.emplace_back("Idempotency-Key", std::move(key));
  }
  return client.post("/v1/tasks", json::object{{"agent", flags.agent}, {"input", *input}},
                     std::move(headers));
}

}  // namespace

int submit_task(Client& client, const SubmitFlags& flags, const Output& to) {
  auto answer = send(client, flags);
  if (!answer) return report(answer.error(), to);
  const std::string id = text_at(answer->value.as_object(), "id");
  if (flags.wait && !to.json) fmt::print(to.err, "{}\n", plain(id));
  while (flags.wait && !is_settled(answer->value.as_object())) {
    answer = client.get(fmt::format("/v1/tasks/{}?wait={}", id, kWaitSeconds));
    if (!answer) return report(answer.error(), to);
  }
  const json::object& task = answer->value.as_object();
  if (to.json) {
    fmt::print(to.out, "{}\n", answer->text);
  } else {
    fmt::print(to.out, "{}", flags.wait ? task_text(task) : plain(id) + "\n");
  }
  return flags.wait ? status_of(task) : kDone;
}

}  // namespace perdure::cli
