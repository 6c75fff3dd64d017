#include "tool/http_request.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "tool/url_template.h"

namespace perdure {
namespace {

CallRequest call(std::string args) {
  CallRequest request;
  request.task = TaskId::make(1, 2, 3);
  request.send.step = "s1";
  request.send.name = "t";
  request.send.args = Payload::of(std::move(args));
  request.send.not_after_ms = 77;
  request.key = "k0y";
  request.epoch = (7ull << 32) | 5;
  return request;
}

HttpToolConfig tool(std::string method, std::string url) {
  HttpToolConfig config;
  config.name = "t";
  config.method = std::move(method);
  config.url = std::move(url);
  return config;
}

Secrets secrets() {
  Secrets secrets;
  EXPECT_TRUE(secrets.add("pay", "open-sesame"));
  EXPECT_TRUE(secrets.add("split", "open\r\nsesame"));
  return secrets;
}

std::string header(const HttpRequest& request, std::string_view name) {
  std::string found;
  for (const auto& [key, value] : request.headers) {
    if (key == name) found += (found.empty() ? "" : ", ") + value;
  }
  return found;
}

TEST(MakeRequest, PostsTheArgumentsByteForByte) {
  HttpToolConfig config = tool("POST", "https://pay.example/refunds");
  config.headers = {{"Authorization", "Bearer {{secret:pay}}"}};
  config.max_output_bytes = 123;
  config.timeouts.total_ms = 456;
  config.allow_private = true;
  const std::string args = R"({ "order_id" : 42, "b": 1.50, "a":"x" })";
  const auto request = make_request(config, call(args), secrets());
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->url, "https://pay.example/refunds");
  EXPECT_EQ(request->body, args);
  EXPECT_EQ(header(*request, "Authorization"), "Bearer open-sesame");
  EXPECT_EQ(header(*request, "Idempotency-Key"), "k0y");
  EXPECT_EQ(header(*request, "Perdure-Epoch"), "30064771077");
  EXPECT_EQ(header(*request, "Content-Type"), "application/json");
  EXPECT_FALSE(header(*request, "Accept").empty());
  EXPECT_EQ(request->not_after_ms, 77);
  EXPECT_EQ(request->max_response_bytes, 123u);
  EXPECT_EQ(request->timeouts.total_ms, 456);
  EXPECT_TRUE(request->allow_private);
}

TEST(MakeRequest, PutsTheKeyIntoAnArgument) {
  HttpToolConfig config = tool("POST", "https://pay.example/");
  config.key_in = KeyIn::kArgument;
  config.key_name = "/meta/request_id";
  auto request = make_request(config, call(R"({"a":1})"), secrets());
  EXPECT_EQ(request->body, R"({"a":1,"meta":{"request_id":"k0y"}})");
  EXPECT_EQ(header(*request, "Idempotency-Key"), "");
  // What the model wrote there does not count.
  request = make_request(config, call(R"({"meta":{"request_id":"mine","x":2}})"), secrets());
  EXPECT_EQ(request->body, R"({"meta":{"request_id":"k0y","x":2}})");
  EXPECT_FALSE(make_request(config, call(R"({"meta":"text"})"), secrets()));
  config.key_name = "/a~1b";
  EXPECT_EQ(make_request(config, call("{}"), secrets())->body, R"({"a/b":"k0y"})");
}

TEST(MakeRequest, GetTakesArgumentsAsQuery) {
  const auto request =
      make_request(tool("GET", "https://shop.example/items/{id}?fixed=1"),
                   call(R"({"q":"a b&c=d/ä","id":"x/../y?z#w","n":-1.5,"t":true,"none":null,)"
                        R"("list":[1,"two"],"deep":{"k":[1]}})"),
                   secrets());
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->url,
            "https://shop.example/items/x%2F..%2Fy%3Fz%23w?fixed=1&q=a%20b%26c%3Dd%2F%C3%A4"
            "&n=-1.5&t=true&list=1&list=two&deep=%7B%22k%22%3A%5B1%5D%7D");
  EXPECT_EQ(request->body, "");
  EXPECT_EQ(header(*request, "Content-Type"), "");
}

TEST(MakeRequest, AnArgumentInTheUrlIsNotCarriedAgain) {
  const auto request = make_request(tool("PUT", "https://shop.example/{kind}/{id}?v={v}"),
                                    call(R"({"id":7,"kind":"order","v":"","z":1})"), secrets());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "https://shop.example/order/7?v=");
  EXPECT_EQ(request->body, R"({"z":1})");
}

TEST(MakeRequest, ArgumentsNeverChangeWhereItGoes) {
  const char* values[] = {"@evil.example",
                          "evil.example",
                          "//evil.example/",
                          "\\\\evil",
                          "http://evil/",
                          ":80@evil.example/",
                          "?x",
                          "#x",
                          "%2e%2e",
                          "a\r\nHost: evil",
                          "\t",
                          "%00",
                          "[::1]",
                          "..%2f..%2f",
                          "a/../../b",
                          "...."};
  const char* urls[] = {"https://pay.example/{x}", "https://pay.example/a/{x}/b",
                        "https://pay.example:444/a{x}", "https://pay.example/?q={x}",
                        "https://pay.example?q={x}"};
  for (const char* url : urls) {
    for (const char* value : values) {
      for (const char* method : {"GET", "POST", "DELETE"}) {
        const std::string args = to_json(json::value{{"x", value}, {"y", value}});
        const auto request = make_request(tool(method, url), call(args), secrets());
        ASSERT_TRUE(request) << url << value << request.error().message;
        const std::string_view whole(url);
        const std::string_view expected = whole.substr(0, whole.find_first_of("/?", 8));
        EXPECT_TRUE(request->url.starts_with(expected)) << request->url;
        const std::string rest = request->url.substr(expected.size());
        EXPECT_TRUE(rest[0] == '/' || rest[0] == '?') << request->url;
        EXPECT_EQ(std::count(rest.begin(), rest.end(), '/'),
                  std::count(whole.begin() + static_cast<long>(expected.size()), whole.end(), '/'))
            << request->url;
        EXPECT_EQ(rest.find_first_of("#\\@ \r\n\t"), std::string::npos) << request->url;
      }
    }
  }
}

TEST(MakeRequest, RefusesWhatCannotBeSent) {
  struct Row {
    const char* url;
    const char* args;
    const char* error;
  };
  const Row rows[] = {
      {"https://a.example/", "[1]", "arguments: expected an object"},
      {"https://a.example/", "{", "arguments: not JSON"},
      {"https://a.example/{x}", "{}", "the argument 'x' is missing"},
      {"https://a.example/{x}", R"({"x":""})", "the argument 'x' must not be empty"},
      {"https://a.example/{x}", R"({"x":null})", "the argument 'x' must be a string"},
      {"https://a.example/{x}", R"({"x":[1]})", "the argument 'x' must be a string"},
      {"https://a.example/{x}", R"({"x":".."})", "an argument must not be a path segment"},
      {"https://a.example/u/{x}/y", R"({"x":"."})", "an argument must not be a path segment"},
      {"https://a.example/u/.{x}/y", R"({"x":"."})", "an argument must not be a path segment"},
      {"https://a.example/u/%2E{x}/y", R"({"x":"."})", "an argument must not be a path segment"},
      {"https://a.example/?account=7", R"({"account":8})", "the argument 'account' is set by"},
      {"https://a.example/?a%63count=7", R"({"account":8})", "the argument 'account' is set by"},
  };
  for (const Row& row : rows) {
    const auto request = make_request(tool("GET", row.url), call(row.args), secrets());
    ASSERT_FALSE(request) << row.url << row.args << request->url;
    EXPECT_TRUE(request.error().message.starts_with(row.error)) << request.error().message;
    EXPECT_EQ(request.error().code, Code::kInvalid);
  }
}

TEST(MakeRequest, AMissingSecretIsNamed) {
  HttpToolConfig config = tool("POST", "https://pay.example/");
  config.headers = {{"X", "{{secret:nobody}}"}};
  const auto request = make_request(config, call("{}"), secrets());
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, Code::kNotFound);
  EXPECT_EQ(request.error().message, "the secret 'nobody' is not configured");
}

TEST(MakeRequest, TheHeadersOfTheEngineStandOnce) {
  HttpToolConfig config = tool("POST", "https://pay.example/");
  config.headers = {{"perdure-epoch", "9"},
                    {"idempotency-key", "mine"},
                    {"content-type", "application/x"},
                    {"accept", "text/x"}};
  const auto request = make_request(config, call("{}"), secrets());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->headers.size(), 4u);
  EXPECT_EQ(header(*request, "Idempotency-Key"), "k0y");
  EXPECT_EQ(header(*request, "content-type"), "application/x");
}

TEST(Check, NamesWhatIsWrong) {
  HttpToolConfig good = tool("POST", "https://pay.example/{x}?y={y}");
  EXPECT_TRUE(check(good)) << check(good).error().message;
  const auto message = [&](auto change) {
    HttpToolConfig config = good;
    change(config);
    const auto checked = check(config);
    return checked ? std::string("good") : checked.error().message;
  };
  for (const char* url : {"", "ftp://a/", "https://{x}/", "https://a{x}/", "https://a.example:{x}/",
                          "{x}://a.example/", "https://u@a.example/", "https://u:p@a.example/",
                          "https://a.example/{", "https://a.example/}", "https://a.example/{}",
                          "https://a.example/#{x}", "https://a.example/a b"}) {
    EXPECT_TRUE(message([&](auto& c) { c.url = url; }).starts_with("tools.t.url: ")) << url;
  }
  EXPECT_TRUE(message([](auto& c) { c.method = "TRACE"; }).starts_with("tools.t.method: "));
  EXPECT_TRUE(
      message([](auto& c) { c.identity = {"order_id"}; }).starts_with("tools.t.identity: "));
  EXPECT_EQ(message([](auto& c) { c.identity = {"/order_id"}; }), "good");
  EXPECT_TRUE(
      message([](auto& c) { c.key_in = KeyIn::kArgument; }).starts_with("tools.t.key_in: "));
  EXPECT_TRUE(message([](auto& c) {
                c.definite = {{500, Outcome::kNotSent}};
              }).starts_with("tools.t.definite: "));
  EXPECT_TRUE(message([](auto& c) {
                c.contract.effect = EffectClass::kIdempotent;
                c.contract.horizon_ms = 86'400'000;
                c.contract.margin_ms = 1000;
              }).starts_with("tools.t.horizon: "));
}

}  // namespace
}  // namespace perdure
