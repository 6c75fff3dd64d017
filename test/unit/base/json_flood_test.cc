// Names of members that are chosen to make work: what they cost must not depend on the choice.
#include <gtest/gtest.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/keyed_hash.h"

namespace perdure {
namespace {

constexpr int kBits = 14;
constexpr size_t kNames = 1u << kBits;

// Of this thread: a busy machine does not count.
double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// Names of seven characters whose FNV-1a, begun at its offset plus `salt`, ends in 14 zeros.
// Boost.JSON begins it at the offset plus the address of the object, of which bits 4 to 7 are all
// that matters.
std::vector<std::string> make_colliding_names(uint64_t salt) {
  constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  std::vector<std::string> names;
  for (uint64_t number = 0; names.size() < kNames; ++number) {
    uint64_t hash = 0xcbf29ce484222325 + salt;
    std::string name;
    for (int i = 0; i < 6; ++i) {
      name += kLetters[number >> (6 * i) & 63];
      hash = (static_cast<uint64_t>(name.back()) ^ hash) * 0x100000001b3;
    }
    const uint64_t last = hash % kNames;
    if (last < 33 || last > 126 || last == '"' || last == '\\') continue;
    names.push_back(name + static_cast<char>(last));
  }
  return names;
}

const std::vector<std::string>& colliding_names(uint64_t salt) {
  static const auto all = [] {
    std::vector<std::vector<std::string>> made;
    for (uint64_t of = 0; of < 256; of += 16) made.push_back(make_colliding_names(of));
    return made;
  }();
  return all[salt / 16];
}

std::string object_of(const std::vector<std::string>& names) {
  std::string text = "{";
  for (const std::string& name : names) text += '"' + name + "\":1,";
  text.back() = '}';
  return text;
}

// Reading it, and finding each member in a copy.
double cost_ms(const std::string& text, const std::vector<std::string>& names) {
  const double began_ms = cpu_ms();
  const auto value = parse_json(text, "body");
  EXPECT_TRUE(value) << value.error().message;
  if (!value) return 0;
  const json::object copy = value->as_object();
  size_t found = 0;
  for (const std::string& name : names) found += copy.contains(name) ? 1 : 0;
  EXPECT_EQ(found, names.size());
  return cpu_ms() - began_ms;
}

TEST(JsonFlood, CollidingNamesCostWhatOthersCost) {
  std::vector<std::string> ordinary;
  for (size_t i = 0; i < kNames; ++i) ordinary.push_back(std::to_string(1'000'000 + i));
  const double usual_ms = cost_ms(object_of(ordinary), ordinary);
  for (uint64_t salt = 0; salt < 256; salt += 16) {
    const auto& names = colliding_names(salt);
    EXPECT_LT(cost_ms(object_of(names), names), 5 * usual_ms + 50) << "salt " << salt;
  }
}

TEST(JsonFlood, AWholeBodyOfThemIsReadAtOnce) {
  constexpr size_t kBodyBytes = 4u << 20;
  std::string body = "[";
  for (uint64_t salt = 0;; salt += 16) {
    const std::string object = object_of(colliding_names(salt % 256));
    if (body.size() + object.size() + 1 > kBodyBytes) break;
    body += object + ",";
  }
  body.back() = ']';
  const double began_ms = cpu_ms();
  EXPECT_TRUE(parse_json(body, "body", {.members = 20'000}));
  const double ms = cpu_ms() - began_ms;
  RecordProperty("ms", std::to_string(ms));
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)
  EXPECT_LT(ms, 250);
#endif
}

// A pointer is hashed without its escapes, in pieces; the name in one.
TEST(JsonFlood, PointersFindMembersOfLargeObjects) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("a/b~" + std::to_string(i));
  const auto value = parse_json(object_of(names), "body");
  for (int i = 0; i < 100; ++i) {
    const auto found = find_pointer(*value, "/a~1b~0" + std::to_string(i));
    EXPECT_TRUE(found && *found != nullptr) << i;
  }
}

uint64_t sip_hash(std::string_view bytes, const HashKey& key) {
  SipHash hash(key);
  for (const char byte : bytes) hash.add(byte);
  SipHash in_two(key);
  in_two.add(bytes.substr(0, bytes.size() / 3));
  in_two.add(bytes.substr(bytes.size() / 3));
  const uint64_t found = hash.finish();
  EXPECT_EQ(in_two.finish(), found);
  return found;
}

// The key 00 01 .. 0f, of the bytes 00 01 .. n-1, by another implementation, which gives the value
// of the paper with its rounds.
TEST(SipHash, GivesTheValuesOfAnother) {
  const HashKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string bytes;
  for (char byte = 0; byte < 64; ++byte) bytes += byte;
  EXPECT_EQ(sip_hash("", key), 0xabac0158050fc4dc);
  EXPECT_EQ(sip_hash({bytes.data(), 1}, key), 0xc9f49bf37d57ca93);
  EXPECT_EQ(sip_hash({bytes.data(), 8}, key), 0x369095118d299a8e);
  EXPECT_EQ(sip_hash({bytes.data(), 63}, key), 0x9d199062b7bbb3a8);
}

}  // namespace
}  // namespace perdure
