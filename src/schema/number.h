#pragma once
// Numbers as schemas see them: by value, whatever their form. 1 and 1.0 are equal.
#include "base/json.h"

namespace perdure::schema {

// Exact for every number that JSON text can give us: 64-bit integers and doubles.
int compare_numbers(const json::value& a, const json::value& b);
bool is_integral(const json::value& number);
// By the decimal digits that the numbers are written with: 0.0075 is a multiple of 0.0001.
bool is_multiple(const json::value& number, const json::value& of);
// A whole number from 0 on, also written as 2.0.
bool to_count(const json::value& number, uint64_t& count);

}  // namespace perdure::schema
