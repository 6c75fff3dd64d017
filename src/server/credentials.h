#pragma once
// Who may ask the server: the token of the data directory, and those of the operator's file.
#include <vector>

#include "api/access.h"
#include "api/key_ring.h"
#include "base/error.h"
#include "base/secrets.h"
#include "ports/clock.h"
#include "server/config.h"

namespace perdure::server {

Result<std::vector<api::Credential>> credentials_of(const Config& config, Rng& rng);

// What a tool may send is no credential that decides: a tool could answer the question about its
// own call, or make itself a key that can.
Status check_secrets(const Secrets& secrets, const std::vector<api::Credential>& credentials,
                     const std::vector<api::Key>& keys);

}  // namespace perdure::server
