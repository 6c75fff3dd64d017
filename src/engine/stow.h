#pragma once
// Payloads on their way in. Those too large for a frame are durable in the blob store before the
// command that names them is put: on the thread that brought them, never on the engine's.
#include <string>

#include "base/error.h"
#include "journal/command.h"
#include "ports/blobs.h"

namespace perdure::engine {

Status stow(Blobs& blobs, const std::string& tenant, Payload& payload);
Status stow(Blobs& blobs, const std::string& tenant, AnswerTurn& turn);

}  // namespace perdure::engine
