#pragma once
// What a server's answer to tools/call means. A result is done, or failed where it says isError. An
// error of the protocol is failed where the method is not known, since no tool has run then; any
// other is doubt, as a status of 500 is. Of a call that may run again, wrong parameters and
// requests that were not understood are failed too: it would not help to send them again.
#include "base/mask.h"
#include "journal/command.h"
#include "journal/effect.h"
#include "tool/mcp/session.h"

namespace perdure {

// The journal has {"content": ..., "structuredContent"?: ...} as it came, masked, and cut with a
// mark behind `max_output_bytes`.
SettleStep classify(const mcp::Answered& answer, const Send& send, size_t max_output_bytes,
                    const Masker& masker);

}  // namespace perdure
