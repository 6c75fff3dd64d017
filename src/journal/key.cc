#include "journal/key.h"

#include <fmt/core.h>

#include "base/hooks.h"
#include "base/text.h"

namespace perdure {

std::string key_of(std::string_view store_secret, const TaskId& task, const StepId& step,
                   uint32_t group, const Sha256& args_hash) {
  std::string position = fmt::format("{}/{}/{}", task.to_string(), group, step);
  if (hooks::planted(hooks::Bug::kKeyFromArguments)) position = args_hash.view();
  return to_base32(hmac_sha256(store_secret, position).view()).substr(0, 26);
}

}  // namespace perdure
