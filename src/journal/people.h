#pragma once
// What the operator says about questions. Looked up when one is asked, and kept with it as it stood
// then.
#include <map>
#include <string>

#include "journal/terms.h"

namespace perdure {

struct PeopleRules {
  Asking common;
  // Instead of `common`, for questions about its calls; "shop.*": about all tools of a server.
  std::map<std::string, Asking> of_tool;
};

}  // namespace perdure
