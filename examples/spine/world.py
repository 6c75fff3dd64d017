#!/usr/bin/env python3
"""The world of the example, in one process: a model that always says the same, and a shop that counts.

  POST /v1/chat/completions   OpenAI Chat Completions, streamed: looks the order up, refunds it, says so
  GET  /orders/ID             an order
  POST /refunds               applies a refund once per Idempotency-Key; the first answer is slow
  GET  /count                 what the shop has seen
"""
import http.server
import json
import sys
import threading
import time

count = {"asked_model": 0, "received": 0, "applied": 0}
answers = {}
lock = threading.Lock()


def chunk(delta, finish=None):
    return {"id": "chatcmpl-example", "object": "chat.completion.chunk", "created": 0, "model": "canned",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(number, name, arguments):
    return [chunk({"role": "assistant", "tool_calls": [
        {"index": 0, "id": f"call_{number}", "type": "function",
         "function": {"name": name, "arguments": json.dumps(arguments)}}]}), chunk({}, "tool_calls")]


def model_says(messages):
    results = sum(message["role"] == "tool" for message in messages)
    if results == 0:
        return call(1, "find_order", {"id": "42"})
    if results == 1:
        return call(2, "refund", {"order": "42", "amount": 19.9})
    words = "Order 42 has been refunded: 19.90."
    return [chunk({"role": "assistant", "content": word + " "}) for word in words.split()] + [chunk({}, "stop")]


class World(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/count":
            return self.reply(count)
        self.reply({"id": self.path.rsplit("/", 1)[1], "item": "teapot", "state": "arrived broken", "paid": 19.9})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/refunds":
            return self.refund(body)
        with lock:
            count["asked_model"] += 1
        usage = {"prompt_tokens": 90, "completion_tokens": 12, "total_tokens": 102}
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in model_says(body["messages"]) + [{**chunk({}), "choices": [], "usage": usage}]:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def refund(self, body):
        key = self.headers.get("idempotency-key", "")
        with lock:
            count["received"] += 1
            first = key not in answers
            if first:
                count["applied"] += 1
                answers[key] = {"refunded": body["amount"], "order": body["order"]}
        if first:
            time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 3)  # time to lose the answer
        self.reply(answers[key])


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8790), World)
    print(f"the world listens on http://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except (KeyboardInterrupt, BrokenPipeError):
        pass
