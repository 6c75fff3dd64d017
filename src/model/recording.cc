#include "model/recording.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kLineMaxBytes = 64u << 20;
constexpr std::initializer_list<std::string_view> kEnds = {"complete", "not_sent",  "timed_out",
                                                           "cut",      "too_large", "cancelled"};

bool decides(std::string_view header) {
  return header == "content-type" || header == "date" || header == "retry-after" ||
         header == "retry-after-ms" || header == "x-should-retry" || header == "x-request-id" ||
         header == "x-amzn-requestid" || header == "x-amzn-errortype" || header == "request-id" ||
         header.starts_with("x-ratelimit-") || header.starts_with("anthropic-ratelimit-");
}

json::value chunk_to_json(const std::string& chunk) {
  if (is_valid_utf8(chunk)) return json::value(chunk);
  return {{"hex", to_hex(chunk)}};
}

Result<std::string> chunk_from_json(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  ObjectReader in(value, "exchange.response.chunks");
  const auto bytes = from_hex(in.string("hex"));
  if (!bytes) in.fail_at("hex", "is not hexadecimal");
  TRY_STATUS(in.finish());
  return *bytes;
}

Status read_headers(ObjectReader& response, HttpResult& result) {
  const json::object* headers = response.object("headers");
  if (headers == nullptr) return {};
  for (const auto& member : *headers) {
    if (!member.value().is_string()) {
      return fail(Code::kInvalid, "exchange.response.headers: expected strings");
    }
    result.headers.emplace_back(member.key(), member.value().get_string());
  }
  return {};
}

Status read_response(const json::value& value, RecordedExchange& exchange) {
  ObjectReader in(value, "exchange.response");
  exchange.result.end = static_cast<HttpResult::End>(in.choice("end", kEnds, 0));
  exchange.result.status = static_cast<int>(in.integer("status", 0, 999));
  exchange.result.detail = in.string("detail", "");
  TRY_STATUS(read_headers(in, exchange.result));
  if (const json::array* chunks = in.array("chunks")) {
    for (const json::value& chunk : *chunks) {
      TRY_ASSIGN(std::string bytes, chunk_from_json(chunk));
      exchange.chunks.push_back(std::move(bytes));
    }
  }
  return in.finish();
}

}  // namespace

std::string recorded_form(const WireRequest& request) {
  return request.body.empty() ? request.method + " " + request.path : request.body;
}

void RecordedExchange::set_result(const HttpResult& full) {
  result.end = full.end;
  result.status = full.status;
  result.detail = full.detail;
  result.headers.clear();
  for (const auto& header : full.headers) {
    if (decides(header.first) && is_valid_utf8(header.second)) result.headers.push_back(header);
  }
  if (chunks.empty() && !full.body.empty()) chunks.push_back(full.body);
}

std::string exchange_to_json_line(const RecordedExchange& exchange) {
  json::object response;
  response["end"] = kEnds.begin()[static_cast<size_t>(exchange.result.end)];
  response["status"] = exchange.result.status;
  json::object headers;
  for (const auto& [name, value] : exchange.result.headers) headers[name] = value;
  response["headers"] = std::move(headers);
  json::array chunks;
  for (const std::string& chunk : exchange.chunks) chunks.push_back(chunk_to_json(chunk));
  response["chunks"] = std::move(chunks);
  const std::string& detail = exchange.result.detail;
  if (!detail.empty() && is_valid_utf8(detail)) response["detail"] = detail;
  const json::object line = {{"request_sha256", to_hex(sha256(exchange.request).view())},
                             {"request", exchange.request},
                             {"response", std::move(response)}};
  return to_json(line);
}

Result<RecordedExchange> exchange_from_json_line(std::string_view line) {
  TRY_ASSIGN(const json::value root, parse_json(line, "exchange", {.size_bytes = kLineMaxBytes}));
  ObjectReader in(root, "exchange");
  RecordedExchange exchange;
  const std::string hash = in.string("request_sha256");
  exchange.request = in.string("request");
  const json::value* response = in.value("response");
  if (response == nullptr) in.fail_at("response", "is missing");
  if (in.ok() && hash != to_hex(sha256(exchange.request).view())) {
    in.fail_at("request_sha256", "is not the hash of 'request': the recording was changed");
  }
  TRY_STATUS(in.finish());
  TRY_STATUS(read_response(*response, exchange));
  return exchange;
}

Result<std::vector<RecordedExchange>> load_recording(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(Code::kNotFound,
                fmt::format("recording {}: cannot be opened: {}", path, std::strerror(errno)));
  }
  std::vector<RecordedExchange> exchanges;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    auto exchange = exchange_from_json_line(line);
    if (!exchange) {
      return fail(exchange.error().code,
                  fmt::format("recording {}, line {}: {}", path, number, exchange.error().message));
    }
    exchanges.push_back(std::move(*exchange));
  }
  return exchanges;
}

Result<std::shared_ptr<ExchangeRecorder>> ExchangeRecorder::open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "abe");
  if (file == nullptr) {
    return fail(Code::kUnavailable,
                fmt::format("record_to {}: cannot be opened: {}", path, std::strerror(errno)));
  }
  return std::shared_ptr<ExchangeRecorder>(new ExchangeRecorder(file));
}

ExchangeRecorder::~ExchangeRecorder() {
  std::fclose(file_);
}

void ExchangeRecorder::append(const RecordedExchange& exchange) {
  const std::string line = exchange_to_json_line(exchange) + "\n";
  const std::lock_guard lock(mutex_);
  if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0) {
    log(LogLevel::kWarn, "model.recording_lost", {{"error", std::strerror(errno)}});
  }
}

}  // namespace perdure
