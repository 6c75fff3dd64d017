#include "adapters/asio/response_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <iterator>

#include "adapters/asio/syntax.h"

namespace perdure::http {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};

// RFC 9110, section 15.
constexpr Reason kReasons[] = {{100, "Continue"},
                               {200, "OK"},
                               {201, "Created"},
                               {202, "Accepted"},
                               {204, "No Content"},
                               {301, "Moved Permanently"},
                               {302, "Found"},
                               {303, "See Other"},
                               {304, "Not Modified"},
                               {307, "Temporary Redirect"},
                               {308, "Permanent Redirect"},
                               {400, "Bad Request"},
                               {401, "Unauthorized"},
                               {403, "Forbidden"},
                               {404, "Not Found"},
                               {405, "Method Not Allowed"},
                               {406, "Not Acceptable"},
                               {408, "Request Timeout"},
                               {409, "Conflict"},
                               {410, "Gone"},
                               {412, "Precondition Failed"},
                               {413, "Content Too Large"},
                               {414, "URI Too Long"},
                               {415, "Unsupported Media Type"},
                               {417, "Expectation Failed"},
                               {421, "Misdirected Request"},
                               {422, "Unprocessable Content"},
                               {428, "Precondition Required"},
                               {429, "Too Many Requests"},
                               {431, "Request Header Fields Too Large"},
                               {500, "Internal Server Error"},
                               {501, "Not Implemented"},
                               {502, "Bad Gateway"},
                               {503, "Service Unavailable"},
                               {504, "Gateway Timeout"},
                               {505, "HTTP Version Not Supported"},
                               {507, "Insufficient Storage"}};

std::string_view reason_phrase(int status) {
  const auto* found = std::find_if(std::begin(kReasons), std::end(kReasons),
                                   [&](const Reason& row) { return row.status == status; });
  return found != std::end(kReasons) ? found->phrase : std::string_view();
}

void append_number(std::string& out, size_t number) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

void append_safe(std::string& out, std::string_view text) {
  const size_t begin = out.size();
  out.append(text);
  if (all_in(text, kValue)) return;
  for (size_t i = begin; i < out.size(); ++i) {
    if (!all_in({&out[i], 1}, kValue)) out[i] = ' ';
  }
}

}  // namespace

std::string_view DateLine::at(int64_t unix_s) {
  if (unix_s != unix_s_) {
    unix_s_ = unix_s;
    const std::time_t time = unix_s;
    std::tm utc{};
    gmtime_r(&time, &utc);
    // Not strftime: the names are English in every locale.
    static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                         "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::snprintf(text_, sizeof text_, "%s, %02u %s %04u %02u:%02u:%02u GMT",
                  kDays[static_cast<size_t>(utc.tm_wday)], static_cast<unsigned>(utc.tm_mday) % 100,
                  kMonths[static_cast<size_t>(utc.tm_mon)],
                  static_cast<unsigned>(utc.tm_year + 1900) % 10000,
                  static_cast<unsigned>(utc.tm_hour) % 100, static_cast<unsigned>(utc.tm_min) % 100,
                  static_cast<unsigned>(utc.tm_sec) % 100);
  }
  return text_;
}

bool is_bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

void append_head(std::string& out, const api::Response& response, const HeadOptions& options) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<size_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\ndate: ";
  out += options.date;
  out += "\r\n";
  for (const auto& [name, value] : response.headers) {
    append_safe(out, name);
    out += ": ";
    append_safe(out, value);
    out += "\r\n";
  }
  if (options.framing == Framing::kLength) {
    out += "content-length: ";
    append_number(out, options.body_bytes);
    out += "\r\n";
  } else if (options.framing == Framing::kChunked) {
    out += "transfer-encoding: chunked\r\n";
  }
  if (options.close) {
    out += "connection: close\r\n";
  } else if (options.http_1_0) {
    out += "connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace perdure::http
