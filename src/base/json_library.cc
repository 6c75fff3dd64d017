// Boost.JSON, compiled here and not linked, for the sake of one function. Its objects find their
// members by FNV-1a of the name, which anybody can compute: 65,536 names chosen to collide cost
// seconds, and the work grows with their square. Here it is a hash under a secret key.
#include <boost/json/detail/config.hpp>
#include <cstddef>
#include <string_view>

#include "base/keyed_hash.h"

// In place of boost/json/detail/digest.hpp.
#define BOOST_JSON_DETAIL_DIGEST_HPP

BOOST_JSON_NS_BEGIN
namespace detail {

// Of a name that stands in a JSON Pointer, without its escapes.
template <typename Bytes>
std::size_t digest(Bytes begin, Bytes end, std::size_t /*salt*/) noexcept {
  perdure::SipHash hash(perdure::process_hash_key());
  for (; begin != end; ++begin) hash.add(*begin);
  return hash.finish();
}

// Of one in an object. No template, as the library's is: the linker must not take the two for one.
inline std::size_t digest(const char* begin, const char* end, std::size_t /*salt*/) noexcept {
  perdure::SipHash hash(perdure::process_hash_key());
  hash.add(std::string_view(begin, static_cast<std::size_t>(end - begin)));
  return hash.finish();
}

}  // namespace detail
BOOST_JSON_NS_END

#include <boost/json/src.hpp>
