#pragma once
// What `perdure doctor --repair` puts right in the tables themselves, before rows are written anew
// from the journals of their tasks.
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "ports/closed_store.h"

namespace perdure {

// Holds the directory and is ready to be written: indexes agree with their tables, both copies of
// the secret are there, tenants have the names that journals say, and no row belongs to nobody.
// `note` is told each thing that was done, and what is lost. Refuses, and changes nothing, where
// there is more to lose: a log or a newest commit that is damaged (forget_lost_commits comes
// first), pages of the database, both copies of the secret.
Result<std::unique_ptr<ClosedStore>> open_to_mend(
    const std::string& dir, const std::function<void(const std::string&)>& note);

}  // namespace perdure
