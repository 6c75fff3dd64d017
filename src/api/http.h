#pragma once
// HTTP as the routes see it: no sockets. A server adapter feeds requests and writes answers.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace perdure::api {

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case

struct Request {
  std::string method;  // upper case
  std::string target;  // path and query, as sent
  Headers headers;
  std::string body;

  // The first header of that (lower case) name.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;  // without content-length, date, connection
  std::string body;
};

// Where an answer goes. Exactly one of `respond` or `start_stream` is called, once, on any thread.
// When the client has gone, everything is accepted and dropped.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void respond(Response response) = 0;
  // A body of unknown length (Server-Sent Events). `write` never blocks; false when the client has
  // gone or is too slow (more than a bounded amount waits for it): the caller stops then.
  virtual void start_stream(Response head) = 0;
  virtual bool write(std::string_view bytes) = 0;
  virtual void end_stream() = 0;
  // Whoever sent the request has shown a credential, so that the connection is kept before those of
  // strangers. Only from inside `Handler::handle`.
  virtual void sender_is_known() {}
  // Called once, on the server's thread, when the client disconnects before the answer is complete.
  virtual void on_disconnect(std::function<void()> callback) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Both on a server thread; they must not block.
  // How many bytes of body may follow this head, or the answer that refuses it, after which the
  // connection is closed. Asked before more of a body is stored than came together with its head;
  // not asked if that was all of it.
  virtual tl::expected<size_t, Response> body_limit(const Request& head) = 0;
  virtual void handle(Request request, std::shared_ptr<Responder> responder) = 0;
};

}  // namespace perdure::api
