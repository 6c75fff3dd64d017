#include "schema/number.h"

#include <cfloat>
#include <charconv>
#include <cmath>

namespace perdure::schema {
namespace {

// Holds every int64_t, uint64_t and double exactly.
static_assert(LDBL_MANT_DIG >= 64);

long double exact(const json::value& number) {
  if (const auto* integer = number.if_int64()) return static_cast<long double>(*integer);
  if (const auto* natural = number.if_uint64()) return static_cast<long double>(*natural);
  return static_cast<long double>(number.get_double());
}

// digits * 10^exponent, without trailing zeros; the sign does not matter to a multiple.
struct Decimal {
  uint64_t digits = 0;
  int exponent = 0;
};

Decimal to_decimal(const json::value& number) {
  Decimal out;
  if (const auto* integer = number.if_int64()) {
    out.digits =
        *integer < 0 ? 0 - static_cast<uint64_t>(*integer) : static_cast<uint64_t>(*integer);
  } else if (const auto* natural = number.if_uint64()) {
    out.digits = *natural;
  } else {
    // The shortest digits that give this double: at most 17, "d.ddde+xx".
    char text[32];
    const auto written = std::to_chars(text, text + sizeof text, std::abs(number.get_double()),
                                       std::chars_format::scientific);
    bool behind_point = false;
    const char* at = text;
    for (; at < written.ptr && *at != 'e'; ++at) {
      if (*at == '.') {
        behind_point = true;
        continue;
      }
      out.digits = out.digits * 10 + static_cast<uint64_t>(*at - '0');
      if (behind_point) --out.exponent;
    }
    int power = 0;
    if (at < written.ptr) ++at;
    if (at < written.ptr && *at == '+') ++at;
    std::from_chars(at, written.ptr, power);
    out.exponent += power;
  }
  while (out.digits != 0 && out.digits % 10 == 0) {
    out.digits /= 10;
    ++out.exponent;
  }
  return out;
}

uint64_t product_mod(uint64_t a, uint64_t b, uint64_t modulus) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>(static_cast<Wide>(a) * b % modulus);
}

uint64_t power_of_ten_mod(int exponent, uint64_t modulus) {
  uint64_t result = 1 % modulus;
  uint64_t base = 10 % modulus;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = product_mod(result, base, modulus);
    base = product_mod(base, base, modulus);
  }
  return result;
}

}  // namespace

int compare_numbers(const json::value& a, const json::value& b) {
  const long double left = exact(a);
  const long double right = exact(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

bool is_integral(const json::value& number) {
  const auto* real = number.if_double();
  return real == nullptr ? number.is_number() : std::trunc(*real) == *real;
}

bool is_multiple(const json::value& number, const json::value& of) {
  const Decimal a = to_decimal(number);
  const Decimal b = to_decimal(of);
  if (a.digits == 0) return true;
  // 10 does not divide a.digits, so it cannot make up for a larger exponent of b.
  if (b.digits == 0 || b.exponent > a.exponent) return false;
  const uint64_t shift = power_of_ten_mod(a.exponent - b.exponent, b.digits);
  return product_mod(a.digits % b.digits, shift, b.digits) == 0;
}

bool to_count(const json::value& number, uint64_t& count) {
  if (const auto* integer = number.if_int64()) {
    count = static_cast<uint64_t>(*integer);
    return *integer >= 0;
  }
  if (const auto* natural = number.if_uint64()) {
    count = *natural;
    return true;
  }
  const auto* real = number.if_double();
  if (real == nullptr || !(*real >= 0) || std::trunc(*real) != *real) return false;
  count = *real >= 18446744073709551615.0 ? UINT64_MAX : static_cast<uint64_t>(*real);
  return true;
}

}  // namespace perdure::schema
