#pragma once
// The person's own editor.
#include <string>

#include "base/error.h"

namespace perdure::cli {

// Opens `text` in $VISUAL, else $EDITOR, else vi, and returns it as it was left. The file it is in
// is private and is removed afterwards.
Result<std::string> edited(const std::string& text);

}  // namespace perdure::cli
