#include "tool/shell_outcome.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "tool/outcome.h"

namespace perdure {
namespace {

using End = ProcessExit::End;

struct Meaning {
  Outcome outcome;
  FailureClass failure;
};

constexpr Meaning kDoubt = {Outcome::kInDoubt, FailureClass::kAmbiguous};

// By us, in the middle of whatever it did.
Meaning meaning_of_kill(EffectClass effect, FailureClass failure) {
  return may_run_again(effect) ? Meaning{Outcome::kFailed, failure} : kDoubt;
}

Meaning meaning_of(const ProcessExit& exit, EffectClass effect, bool unwanted) {
  switch (exit.end) {
    case End::kExited:
      return exit.status == 0 ? Meaning{Outcome::kSucceeded, FailureClass::kNone}
                              : Meaning{Outcome::kFailed, FailureClass::kInvalid};
    case End::kTimedOut:
      return meaning_of_kill(effect, FailureClass::kTransient);
    case End::kOutputLimit:
    case End::kDiskFull:
      return meaning_of_kill(effect, FailureClass::kTooLarge);
    case End::kNotStarted:
      return {Outcome::kNotSent, FailureClass::kTransient};
    case End::kKilled:
      return unwanted ? meaning_of_kill(effect, FailureClass::kInvalid) : kDoubt;
    case End::kSignalled:
      break;
  }
  return kDoubt;
}

size_t length_of_character(std::string_view rest) {
  const auto first = static_cast<uint8_t>(rest.front());
  const size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  return size <= rest.size() && is_valid_utf8(rest.substr(0, size)) ? size : 0;
}

// Text for a model: what is no UTF-8 becomes the replacement character.
std::string as_text(std::string bytes) {
  if (is_valid_utf8(bytes)) return bytes;
  std::string text;
  for (std::string_view rest = bytes; !rest.empty();) {
    const size_t size = length_of_character(rest);
    text += size == 0 ? std::string_view("\xEF\xBF\xBD") : rest.substr(0, size);
    rest.remove_prefix(std::max<size_t>(size, 1));
  }
  return text;
}

std::string shown(KeptOutput output, const Masker& masker) {
  return as_text(output.cut ? masker.mask_cut(std::move(output.bytes))
                            : masker.mask(std::move(output.bytes)));
}

}  // namespace

void KeptOutput::add(std::string_view more, size_t max_bytes) {
  const size_t left = max_bytes - std::min(bytes.size(), max_bytes);
  cut = cut || more.size() > left;
  bytes += more.substr(0, left);
}

SettleStep classify_shell(const Send& send, const ProcessExit& exit, bool unwanted, KeptOutput out,
                          KeptOutput err, const Masker& masker) {
  const Meaning meaning = meaning_of(exit, send.effect, unwanted);
  SettleStep settle = settle_of(send, meaning.outcome, meaning.failure);
  if (settle.outcome != Outcome::kSucceeded) settle.detail = masker.mask(exit.detail);
  if (settle.outcome != Outcome::kSucceeded && settle.outcome != Outcome::kFailed) return settle;
  json::object result;
  if (exit.end == End::kExited) result["exit_code"] = exit.status;
  if (out.cut || err.cut) result["truncated"] = true;
  result["stdout"] = shown(std::move(out), masker);
  result["stderr"] = shown(std::move(err), masker);
  settle.result = Payload::of(to_json(result));
  return settle;
}

}  // namespace perdure
