"""The world outside of Perdure, for the example: a model and a shop, on one port, in one process.

The model speaks Chat Completions and follows a fixed plan: look the order up, refund it, say so. The
shop counts what reaches it and remembers idempotency keys, as a payment service does. It lives in the
process of the example, so that it survives the server's death, like the world does.
"""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outside:
    def __init__(self):
        self.lock = threading.Lock()
        self.model_calls = 0
        self.refund_requests = []             # (order, key), each request that arrived
        self.refunds = {}                     # key -> what was refunded
        self.first_refund = threading.Event()  # its first request has acted, and waits for its answer
        self.may_answer = threading.Event()
        handler = type("Handler", (OutsideHandler,), {"outside": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()

    def refund(self, key, body):
        """Acts once for each key; the first request's answer is held back."""
        with self.lock:
            first = not self.refund_requests
            self.refund_requests.append((body["order"], key))
            known = key in self.refunds
            self.refunds.setdefault(key, {"refunded": body["order"], "cents": body["cents"]})
        if first:
            self.first_refund.set()
            self.may_answer.wait()
        return {**self.refunds[key], "repeated": known}


def next_words(messages):
    """What the model says after these messages: text, or (tool, arguments)."""
    results = [message for message in messages if message["role"] == "tool"]
    if not results:
        return "look_up_order", {"order": "42"}
    if len(results) == 1:
        return "refund", {"order": "42", "cents": json.loads(results[0]["content"])["cents"]}
    return "Order 42 was refunded."


def answer_chunks(model, words):
    head = {"id": "answer", "object": "chat.completion.chunk", "model": model}
    if isinstance(words, str):
        delta, reason = {"role": "assistant", "content": words}, "stop"
    else:
        tool, arguments = words
        call = {"index": 0, "id": f"call_{tool}", "type": "function",
                "function": {"name": tool, "arguments": json.dumps(arguments)}}
        delta, reason = {"role": "assistant", "tool_calls": [call]}, "tool_calls"
    yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    yield {**head, "choices": [],
           "usage": {"prompt_tokens": 120, "completion_tokens": 12, "total_tokens": 132}}


class OutsideHandler(BaseHTTPRequestHandler):
    outside = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        order = self.path.rsplit("/", 1)[-1]
        self.send("application/json", json.dumps({"order": order, "cents": 1999}).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.path == "/refunds":
                answer = self.outside.refund(self.headers["Idempotency-Key"], body)
                return self.send("application/json", json.dumps(answer).encode())
            with self.outside.lock:
                self.outside.model_calls += 1
            events = [json.dumps(chunk) for chunk in
                      answer_chunks(body["model"], next_words(body["messages"]))] + ["[DONE]"]
            self.send("text/event-stream", "".join(f"data: {e}\n\n" for e in events).encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the one who asked is dead
