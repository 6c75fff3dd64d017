#include "tool/call_place.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

TEST(CallPlace, AUrlIsShownWithoutCredentials) {
  const std::pair<const char*, const char*> cases[] = {
      {"https://pay.example/refunds", "https://pay.example/refunds"},
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
      {"https://pay.example/orders/{order_id}/refunds?reason={why}&dry=1",
       "https://pay.example/orders/{order_id}/refunds?reason={why}&dry=***"},
      {"https://pay.example/r?api_key=k3y", "https://pay.example/r?api_key=***"},
      {"https://pay.example/r?k3y", "https://pay.example/r?***"},
      {"https://pay.example/r?sign={order}k3y", "https://pay.example/r?sign=***"},
      {"https://pay.example?k=v/x", "https://pay.example?k=***"},
      {"https://user:k3y@pay.example/r", "https://pay.example/r"},
      {"https://hooks.example/services/T00000000/B00000000/8fW1kQz0aYb7XcVt2LmN",
       "https://hooks.example/services/T00000000/B00000000/***"},
      {"https://pay.example/compensations-of-orders/{order_id_0000001}",
       "https://pay.example/compensations-of-orders/{order_id_0000001}"},
      {"https://pay.example/r#k3y", "https://pay.example/r"},
  };
  for (const auto& [url, shown] : cases) EXPECT_EQ(shown_url(url), shown) << url;
  EXPECT_EQ(shown_origin("https://user:k3y@mcp.example:8443/s/secret?x=y"),
            "https://mcp.example:8443");
}

TEST(CallPlace, WhatACallCarriedStandsInThePlaceOfItsName) {
  ToolEntry tool;
  tool.to = "POST https://pay.example/orders/{order}/{gone}?why={why}";
  tool.key_in = "header Idempotency-Key";
  tool.rules.check = "{key} of {order}, see https://pay.example/x?o={order}&k={key} or {why} {";
  const CallPlace place = place_of(tool, R"({"order":"4/2","why":["a"]})", "k-1");
  EXPECT_EQ(place.to, "POST https://pay.example/orders/4%2F2/{gone}?why=%5B%22a%22%5D");
  EXPECT_EQ(place.key_in, "header Idempotency-Key");
  EXPECT_EQ(place.check, "k-1 of 4/2, see https://pay.example/x?o=4%2F2&k=k-1 or [\"a\"] {");
  EXPECT_EQ(place_of(tool, "no JSON", "k").check,
            "k of {order}, see https://pay.example/x?o={order}&k=k or {why} {");
}

}  // namespace
}  // namespace perdure
