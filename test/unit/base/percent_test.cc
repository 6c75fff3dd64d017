#include "base/percent.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

TEST(Percent, EncodesAllButWhatIsUnreserved) {
  EXPECT_EQ(percent_encode("anthropic.claude-v2:1"), "anthropic.claude-v2%3A1");
  EXPECT_EQ(percent_encode("a/b c~d_\x01\xFF"), "a%2Fb%20c~d_%01%FF");
  EXPECT_EQ(percent_encode("a/b%2F", "/"), "a/b%252F");
}

TEST(Percent, DecodesWhatIsWhole) {
  EXPECT_EQ(percent_decode("a%2fb%2F"), "a/b/");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b%2B", true), "a b+");
  for (const char* broken : {"%", "%4", "a%4", "%4g", "%g4", "%FF"}) {
    EXPECT_EQ(percent_decode(broken), std::nullopt) << broken;
  }
}

}  // namespace
}  // namespace perdure
