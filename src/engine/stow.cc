#include "engine/stow.h"

namespace perdure::engine {

Status stow(Blobs& blobs, const std::string& tenant, Payload& payload) {
  if (payload.place != Payload::Place::kInline || payload.size_bytes <= kInlinePayloadMaxBytes) {
    return {};
  }
  TRY_STATUS(blobs.put(tenant, payload.hash, payload.view()));
  payload.place = Payload::Place::kBlob;
  return {};
}

Status stow(Blobs& blobs, const std::string& tenant, AnswerTurn& turn) {
  TRY_STATUS(stow(blobs, tenant, turn.state));
  for (Action& action : turn.actions) {
    if (auto* call = std::get_if<CallAction>(&action)) {
      TRY_STATUS(stow(blobs, tenant, call->args));
      TRY_STATUS(stow(blobs, tenant, call->result));
    } else if (auto* note = std::get_if<NoteAction>(&action)) {
      TRY_STATUS(stow(blobs, tenant, note->note));
    } else if (auto* complete = std::get_if<CompleteAction>(&action)) {
      TRY_STATUS(stow(blobs, tenant, complete->result));
    } else if (auto* ask = std::get_if<AskAction>(&action)) {
      TRY_STATUS(stow(blobs, tenant, ask->args));
    }
  }
  return {};
}

}  // namespace perdure::engine
