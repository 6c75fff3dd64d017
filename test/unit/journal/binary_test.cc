// Maps and sets in their stored form: read back as they were, in one form only, and never larger
// than the bytes that describe them.
#include "journal/binary.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

using Names = std::map<std::string, uint64_t>;
using Numbers = std::set<uint64_t>;

template <class T>
std::string written(const T& value) {
  std::string bytes;
  BinaryWriter(bytes).put(value);
  return bytes;
}

template <class T>
std::optional<T> read(std::string_view bytes) {
  T value;
  BinaryReader in(bytes);
  in.get(value);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return value;
}

TEST(Binary, MapsAndSetsAreReadAsTheyWere) {
  const Names names{{"", 0}, {"a", 300}, {"b", 1}};
  EXPECT_EQ(read<Names>(written(names)), names);
  EXPECT_EQ(read<Names>(written(Names())), Names());
  const Numbers numbers{0, 1, 127, 128, UINT64_MAX};
  EXPECT_EQ(read<Numbers>(written(numbers)), numbers);
  const std::map<uint64_t, std::vector<std::string>> nested{{1, {}}, {2, {"x", "y"}}};
  EXPECT_EQ((read<std::map<uint64_t, std::vector<std::string>>>(written(nested))), nested);
}

TEST(Binary, KeysThatDoNotRiseAreDamage) {
  EXPECT_TRUE(read<Numbers>(std::string_view("\2\1\2", 3)));
  EXPECT_FALSE(read<Numbers>(std::string_view("\2\2\1", 3))) << "they fall";
  EXPECT_FALSE(read<Numbers>(std::string_view("\2\2\2", 3))) << "one stands twice";
  EXPECT_TRUE(read<Names>(std::string_view("\2\1a\0\1b\0", 7)));
  EXPECT_FALSE(read<Names>(std::string_view("\2\1b\0\1a\0", 7)));
  EXPECT_FALSE(read<Names>(std::string_view("\2\1a\0\1a\0", 7)));
}

TEST(Binary, WhatIsCutShortIsDamage) {
  const std::string bytes = written(Names{{"a", 300}, {"b", 1}, {"long enough", 2}});
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read<Names>(std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(Binary, ACountThatNothingStandsForIsDamageAtOnce) {
  std::string bytes;
  put_varint(bytes, UINT64_MAX);
  bytes += "\1\2\3";
  EXPECT_FALSE(read<Numbers>(bytes));
  EXPECT_FALSE(read<Names>(bytes));
  // An entry of a map has at least two bytes.
  EXPECT_FALSE(read<Names>(std::string_view("\2\0\0\0", 4)));
}

TEST(Binary, BytesOfInlinePayloadsStandBehindThemWhereTheyAreWanted) {
  const Payload payload = Payload::of("hello");
  std::string apart, behind;
  BinaryWriter(apart).put(payload);
  BinaryWriter(behind, InlineBytes::kBehind).put(payload);
  EXPECT_EQ(behind, apart + "\1hello");
  Payload read;
  BinaryReader in(behind, InlineBytes::kBehind);
  in.get(read);
  EXPECT_TRUE(in.ok() && in.at_end());
  EXPECT_EQ(read.view(), "hello");
  BinaryReader cut(std::string_view(behind).substr(0, behind.size() - 1), InlineBytes::kBehind);
  cut.get(read);
  EXPECT_FALSE(cut.ok());
  Payload unread = payload;
  unread.bytes = nullptr;
  std::string without;
  BinaryWriter(without, InlineBytes::kBehind).put(unread);
  EXPECT_EQ(without, apart + std::string(1, '\0'));
}

}  // namespace
}  // namespace perdure
