#pragma once
// What has become of one send of a call.
#include <string>
#include <utility>

#include "journal/command.h"
#include "journal/effect.h"

namespace perdure {

inline SettleStep settle_of(const Send& send, Outcome outcome, FailureClass failure,
                            std::string detail = {}) {
  SettleStep settle;
  settle.step = send.step;
  settle.attempt = send.attempt;
  settle.outcome = outcome;
  settle.failure = failure;
  settle.detail = std::move(detail);
  return settle;
}

}  // namespace perdure
