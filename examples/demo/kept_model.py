"""A model for machines without a key: it replays conversation.jsonl as a server that speaks OpenAI's Chat
Completions would, word by word. The n-th answer of an agent is the n-th line.
"""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORD_S = 0.02


class KeptModel:
    def __init__(self, path):
        self.answers = [json.loads(line) for line in path.read_text().splitlines()]
        self.lock = threading.Lock()
        self.calls = 0                       # requests that came in: what a provider bills
        self.speaking = threading.Event()    # the last answer has begun, and stops in the middle
        self.released = threading.Event()
        handler = type("Handler", (ModelHandler,), {"model": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def chunks(self, messages):
        """The events of the next answer. The first time, the last answer stops in its middle."""
        with self.lock:
            self.calls += 1
        turn = sum(message["role"] == "assistant" for message in messages)
        answer = self.answers[min(turn, len(self.answers) - 1)]
        words = answer.get("text", "").split(" ")
        for i, word in enumerate(words):
            if turn == len(self.answers) - 1 and i == len(words) // 2 and not self.speaking.is_set():
                self.speaking.set()
                self.released.wait()
            yield {"content": word if i == 0 else " " + word}, None
            time.sleep(WORD_S)
        for i, (tool, arguments) in enumerate(answer.get("calls", [])):
            yield {"tool_calls": [{"index": i, "id": f"call_{turn}_{i}", "type": "function", "function": {
                "name": tool, "arguments": json.dumps(arguments)}}]}, None
        yield {}, "tool_calls" if "calls" in answer else "stop"


class ModelHandler(BaseHTTPRequestHandler):
    model = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def event(self, value):
        data = value if isinstance(value, str) else json.dumps(value)
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        head = {"id": "kept", "object": "chat.completion.chunk", "model": request["model"]}
        said = 0
        try:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for delta, reason in self.model.chunks(request["messages"]):
                said += len(json.dumps(delta)) // 4
                self.event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
            asked = len(json.dumps(request)) // 4  # about as a tokenizer counts
            self.event({**head, "choices": [], "usage": {
                "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}})
            self.event("[DONE]")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the one who asked is dead
        self.close_connection = True
