#pragma once
#include <algorithm>
#include <array>
#include <string_view>

#include "base/json.h"
#include "journal/terms.h"

namespace perdure {

// One of these terms, by its word; `fallback`, which is one of them, if the member is absent.
template <auto... kTerms, class E>
E read_term(ObjectReader& in, std::string_view name, E fallback) {
  constexpr std::array<E, sizeof...(kTerms)> terms{kTerms...};
  const auto at = std::find(terms.begin(), terms.end(), fallback) - terms.begin();
  return terms[in.choice(name, {to_string(kTerms)...}, static_cast<size_t>(at))];
}

}  // namespace perdure
