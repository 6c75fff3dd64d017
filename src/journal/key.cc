#include "journal/key.h"

#include "base/hooks.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kKeyBytes = 20;
constexpr size_t kCheckBytes = 5;

// The task has a fixed size and the step stands last, so that no two positions give equal bytes.
std::string position(const TaskId& task, const StepId& step, uint32_t group) {
  std::string bytes = "perdure-key-1";
  bytes += task.view();
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(group >> shift & 255);
  bytes += step;
  return bytes;
}

}  // namespace

std::string key_of(std::string_view store_secret, const TaskId& task, const StepId& step,
                   uint32_t group, const Sha256& args_hash) {
  return call_key(store_secret, task, step, group, args_hash).text;
}

CallKey call_key(std::string_view store_secret, const TaskId& task, const StepId& step,
                 uint32_t group, const Sha256& args_hash) {
  const std::string named = hooks::planted(hooks::Bug::kKeyFromArguments)
                                ? std::string(args_hash.view())
                                : position(task, step, group);
  const Sha256 mac = hmac_sha256(store_secret, named);
  return {to_base32(mac.view().substr(0, kKeyBytes)),
          to_base32(mac.view().substr(kKeyBytes, kCheckBytes))};
}

}  // namespace perdure
