#pragma once
// What an answer means. docs/guarantees.md, "What an HTTP answer means":
//
//   2xx                          done
//   400 401 403 404 405 413 422  failed
//   409                          failed; under `idempotent`: in progress, later with the same key
//   429                          not executed, later again
//   nothing written to the wire  not sent
//   everything else              doubt: 408, 5xx, a cut, a timeout, a status not named here
//
// A redirect is doubt: 303 is the usual answer to a POST that was done, 307 to one that was not,
// and it is not followed in either case. A 2xx whose body passed the limit is done: the receiver
// had said so, and it was us who stopped reading; its result ends with a mark. A body that was cut,
// or that stopped, is doubt even behind a 2xx head: a receiver that streams may have failed in the
// middle.
#include <string>

#include "base/mask.h"
#include "journal/command.h"
#include "journal/effect.h"
#include "ports/http_client.h"
#include "tool/http_tool.h"

namespace perdure {

// The outcome of the send. Results and details are masked. `now_unix_ms` is the time of the answer.
SettleStep classify(const HttpToolConfig& config, const Send& send, HttpResult result,
                    const Masker& masker, int64_t now_unix_ms);

// The beginning of a text, on one line, for a person who reads why.
std::string excerpt(std::string_view text);

// A body as it is journaled and read by a model: UTF-8 as it is, other bytes as
// {"encoding":"base64","bytes":"..."}; `cut`: it is longer than this, and a mark says so
// ("truncated":true, or a last line).
std::string represent(std::string body, bool cut, const Masker& masker);

}  // namespace perdure
