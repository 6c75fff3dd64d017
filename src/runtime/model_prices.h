#pragma once
#include <map>
#include <string>

#include "journal/price.h"

namespace perdure::runtime {

// By the operator's name of the model.
using ModelPrices = std::map<std::string, ModelPrice>;

}  // namespace perdure::runtime
