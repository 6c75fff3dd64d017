#pragma once
// Requests on which two readers might disagree, or that no client should send.
#include <string>
#include <vector>

namespace perdure::http {

struct BadRequest {
  int status;
  std::string bytes;
};

inline std::vector<BadRequest> bad_requests() {
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  // Behind each body: what a second reader would take for a request.
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
  return {
      // Two lengths.
      {400, post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden},
      {400, post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden},
      {400, post + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd" + hidden},
      {400, post + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd" + hidden},
      {400, post + "Content-Length: 4, 4\r\n\r\nabcd" + hidden},
      {400, post + "Content-Length: +4\r\n\r\nabcd"},
      {400, post + "Content-Length: -4\r\n\r\nabcd"},
      {400, post + "Content-Length: 0x4\r\n\r\nabcd"},
      {400, post + "Content-Length: 4 4\r\n\r\nabcd"},
      {400, post + "Content-Length:\r\n\r\n" + hidden},
      // Codings.
      {400, post + "Transfer-Encoding: gzip\r\n\r\n" + hidden},
      {400, post + "Transfer-Encoding: identity\r\n\r\n" + hidden},
      {400, post + "Transfer-Encoding: xchunked\r\n\r\n" + hidden},
      {400, post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding:\r\n\r\n" + hidden},
      {400, post + "Transfer-Encoding:\x0b chunked\r\n\r\n0\r\n\r\n"},
      {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden},
      // Lines.
      {400, "GET / HTTP/1.1\nHost: x\n\n"},
      {400, "GET / HTTP/1.1\r\nHost: x\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: x\r\n\n"},
      {400, "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tfolded\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n"},
      {400, "\n" + hidden},
      {400, "\r\n\r\n" + hidden},
      // Header names and values.
      {400, post + "Content-Length : 4\r\n\r\nabcd"},
      {400, post + "Content-Length\t: 4\r\n\r\nabcd"},
      {400, post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
      {400, post + ": empty\r\n\r\n"},
      {400, post + "no colon\r\n\r\n"},
      {400, post + "A(b): c\r\n\r\n"},
      {400, post + "A: b\x01\r\n\r\n"},
      {400, post + std::string("A: b\0c\r\n\r\n", 10)},
      {400, post + std::string("A\0: b\r\n\r\n", 9)},
      {400, post + "A\xc3\xa9: b\r\n\r\n"},
      // Host.
      {400, "GET / HTTP/1.1\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
      // Request lines.
      {400, "GET\r\n\r\n"},
      {400, "GET /\r\n\r\n"},
      {400, "GET  HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"},
      {400, "GET / b HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "get / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "G@T / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 29)},
      {400, "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET a HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET * HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET http://u:p@x/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET / http/1.1\r\nHost: x\r\n\r\n"},
      {400, "GET / HTTP/1,1\r\nHost: x\r\n\r\n"},
      {400, "GET / HTTP/11\r\nHost: x\r\n\r\n"},
      {400, "GET / HTTP/1.10\r\nHost: x\r\n\r\n"},
      {400, "\x16\x03\x01\x02"},
      {501, "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"},
      {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {417, post + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na"},
      // Chunks.
      {400, chunked + "4\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "4 \r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + " 4\r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "0x4\r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "-4\r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "\r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "4\r\nabcde\r\n0\r\n\r\n"},
      {400, chunked + "4\r\nabcd\n0\r\n\r\n"},
      {400, chunked + "4\r\nabcdXX0\r\n\r\n"},
      {400, chunked + "4;a\nb\r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "4;a\rb\r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "4;" + std::string(300, 'a') + "\r\nabcd\r\n0\r\n\r\n"},
      {400, chunked + "0\r\n folded\r\n\r\n"},
      {400, chunked + "0\r\nA : b\r\n\r\n"},
      {413, chunked + "ffffffffffffffffffff\r\n"},
      {413, chunked + "10000000000000004\r\nabcd\r\n0\r\n\r\n" + hidden},
      {413, post + "Content-Length: 18446744073709551620\r\n\r\nabcd" + hidden},
      // Limits.
      {414, "GET /" + std::string(9000, 'a')},
      {414, "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"},
      {431, post + "A: " + std::string(17'000, 'b') + "\r\n\r\n"},
      {431, post + "A: " + std::string(17'000, 'b')},
      {431, chunked + "0\r\nA: " + std::string(17'000, 'b') + "\r\n\r\n"},
      {431,
       [&] {
         std::string many = post;
         for (int i = 0; i < 200; ++i) many += "A: b\r\n";
         return many + "\r\n";
       }()},
  };
}

}  // namespace perdure::http
