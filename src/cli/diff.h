#pragma once
// Two texts, line by line. Pure.
#include <string>
#include <string_view>

#include "cli/look.h"

namespace perdure::cli {

// What was taken out ("-"), put in ("+") and stands around it; empty if they are equal. Lines are
// made visible.
std::string diff_text(std::string_view before, std::string_view after, const Look& look);

}  // namespace perdure::cli
