#include "tool/identity.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

TEST(Identity, EqualArgumentsInAnyOrderAreOneWish) {
  EXPECT_EQ(identity_of("t", {}, R"({"a":1,"b":{"c":2,"d":3}})"),
            identity_of("t", {}, R"( { "b" : {"d":3, "c":2}, "a":1 } )"));
  EXPECT_NE(identity_of("t", {}, R"({"a":1})"), identity_of("t", {}, R"({"a":2})"));
  EXPECT_NE(identity_of("t", {}, R"({"a":1})"), identity_of("u", {}, R"({"a":1})"));
  EXPECT_NE(identity_of("t", {}, R"({"a":1})"), identity_of("t", {}, R"({"a":"1"})"));
}

TEST(Identity, OnlyTheNamedPlacesCount) {
  const std::vector<std::string> order = {"/order/id"};
  EXPECT_EQ(identity_of("t", order, R"({"order":{"id":42},"reason":"broken"})"),
            identity_of("t", order, R"({"reason":"arrived broken","order":{"id":42,"x":1}})"));
  EXPECT_NE(identity_of("t", order, R"({"order":{"id":42}})"),
            identity_of("t", order, R"({"order":{"id":43}})"));
}

TEST(Identity, AbsentIsNotNullAndPlacesDoNotMix) {
  const std::vector<std::string> both = {"/a", "/b"};
  EXPECT_NE(identity_of("t", both, R"({"a":null})"), identity_of("t", both, "{}"));
  EXPECT_NE(identity_of("t", both, R"({"a":1})"), identity_of("t", both, R"({"b":1})"));
  EXPECT_EQ(identity_of("t", both, "{}"), identity_of("t", both, R"({"c":1})"));
}

TEST(Identity, WhatIsNotJsonIsItsBytes) {
  EXPECT_EQ(identity_of("t", {}, "{"), identity_of("t", {"/a"}, "{"));
  EXPECT_NE(identity_of("t", {}, "{"), identity_of("t", {}, "[["));
  EXPECT_NE(identity_of("t", {}, ""), identity_of("", {}, "t"));
}

}  // namespace
}  // namespace perdure
