"""What stands outside of the server that is killed: tools over HTTP and MCP, and models of three dialects. They count.

A model is asked for a plan: the user's text is {"job": ..., "rounds": [[[tool, arguments], ...], ...]}, and each
answer makes the calls of the round that follows what the conversation shows. In the end it repeats what it was told.
"""
import collections
import http.server
import json
import os
import random
import threading

STDIO_SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stdio_tools.py")
TOOLS = ("read", "idempotent", "once")


class Receivers(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of the system: beyond it connections are dropped, and tried again much later

    def __init__(self, seed, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.seed = seed
        self.received = collections.Counter()  # by key
        self.executed = collections.Counter()
        self.tool = {}
        self.rounds = {}  # job -> the last round that a model was asked for
        self.asked = collections.Counter()  # by dialect of models, by way to tools
        self.again = []  # what a model was asked for although a later request shows its answer
        self.stdio = os.path.join(folder, "stdio")  # a line a call: tool, key
        open(self.stdio, "w").close()
        self.stdio_read = 0

    def take(self, way, tool, key):
        """What the caller sees: True an answer, False a connection that ends."""
        with self.lock:
            self.asked[way] += 1
            self.tool[key] = tool
            self.received[key] += 1
            drawn = random.Random(f"{self.seed}/{key}/{self.received[key]}").random()
            done_before = tool == "idempotent" and self.executed[key] > 0
            if drawn < 0.9 and not done_before:
                self.executed[key] += 1
            return drawn < 0.8

    def ask(self, dialect, job, round_):
        with self.lock:
            self.asked[dialect] += 1
            if round_ < self.rounds.get(job, 0):
                self.again.append(f"repeated: {dialect} is asked for round {round_} of {job} after "
                                  f"round {self.rounds[job]}")
            self.rounds[job] = max(round_, self.rounds.get(job, 0))
            return random.Random(f"{self.seed}/{job}/{round_}/{self.asked[dialect]}").random() < 0.9

    def take_stdio(self):
        """Counts what the servers on stdin and stdout wrote down: they die with the server."""
        with self.lock, open(self.stdio) as lines:
            lines.seek(self.stdio_read)
            for line in lines:
                tool, key = line.split()
                self.asked["MCP on stdio"] += 1
                self.tool[key] = tool
                self.received[key] += 1
                if tool != "idempotent" or not self.executed[key]:
                    self.executed[key] += 1
                self.stdio_read += len(line)

    def repeated(self):
        self.take_stdio()
        problems = list(self.again)
        for key, tool in self.tool.items():
            if tool == "once" and self.received[key] > 1:
                problems.append(f"repeated: once, received {self.received[key]} times")
            if tool != "read" and self.executed[key] > 1:
                problems.append(f"repeated: {tool}, executed {self.executed[key]} times")
        return problems

    def handle_error(self, request, client_address):
        pass  # a killed server leaves broken connections


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/mcp":
            self.mcp(json.loads(body))
        elif self.path in DIALECTS:
            self.model(DIALECTS[self.path], json.loads(body))
        elif self.server.take("HTTP", self.path.strip("/"), self.headers["idempotency-key"]):
            self.answer({"executed": self.headers["idempotency-key"]})
        else:
            self.close_connection = True

    def do_GET(self):
        self.send_error(405)

    def do_DELETE(self):
        self.send_error(405)

    def answer(self, value, status=200):
        self.send(status, "application/json", json.dumps(value).encode())

    def send(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def mcp(self, request):
        if "id" not in request:
            return self.send(202, "application/json", b"")
        result = mcp_result(request)
        if request["method"] == "tools/call":
            key = request["params"]["_meta"]["perdure/idempotency-key"]
            if not self.server.take("MCP over HTTP", request["params"]["name"], key):
                self.close_connection = True
                return None
            result = mcp_text(key)
        return self.answer({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def model(self, dialect, request):
        told, text = dialect.read(request)
        plan = json.loads(text[text.index("{"):text.rindex("}") + 1])
        whole = self.server.ask(dialect.__name__, plan["job"], len(told))
        if len(told) < len(plan["rounds"]):
            calls = [(f"c{len(told)}_{at}", *call) for at, call in enumerate(plan["rounds"][len(told)])]
            events = dialect.calls(calls)
        else:
            events = dialect.says(json.dumps(told))
        body = "".join(event if isinstance(event, str) else f"data: {json.dumps(event)}\n\n"
                       for event in events).encode()
        if whole:
            return self.send(200, "text/event-stream", body)
        self.send_response(200)  # cut in the middle
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2])
        self.close_connection = True
        return None

    def log_message(self, *_):
        pass


def mcp_result(request):
    if request["method"] == "initialize":
        return {"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "counting", "version": "1"}}
    if request["method"] == "tools/list":
        return {"tools": [{"name": name, "description": "Counts.", "inputSchema": {"type": "object"}}
                          for name in TOOLS]}
    return {}


def mcp_text(key):
    return {"content": [{"type": "text", "text": json.dumps({"executed": key})}]}


# A dialect reads a request, as (what was told in each round that is over, the user's text), and writes a stream.
class Chat:
    @staticmethod
    def read(request):
        told, text = [], ""
        for message in request["messages"]:
            if message["role"] == "user":
                text = text or message["content"]
            elif message["role"] == "assistant":
                told.append([])
            elif message["role"] == "tool":
                told[-1].append(message["content"])
        return told, text

    @staticmethod
    def stream(delta, finish):
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        return [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
                {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": usage},
                "data: [DONE]\n\n"]

    @classmethod
    def calls(cls, calls):
        return cls.stream({"role": "assistant", "content": None, "tool_calls": [
            {"index": at, "id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
            for at, (id_, name, args) in enumerate(calls)]}, "tool_calls")

    @classmethod
    def says(cls, text):
        return cls.stream({"role": "assistant", "content": text}, "stop")


class Messages:
    @staticmethod
    def read(request):
        told, text = [], ""
        for message in request["messages"]:
            blocks = message["content"]
            if isinstance(blocks, str):
                blocks = [{"type": "text", "text": blocks}]
            for block in blocks:
                if block["type"] == "tool_result":
                    content = block["content"]
                    told[-1].append(content if isinstance(content, str) else content[0]["text"])
                elif block["type"] == "text" and message["role"] == "user":
                    text = text or block["text"]
            if message["role"] == "assistant":
                told.append([])
        return told, text

    @staticmethod
    def stream(blocks, stop):
        events = [{"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {
            "input_tokens": 10, "output_tokens": 1}}}]
        for index, (begin, delta) in enumerate(blocks):
            events += [{"type": "content_block_start", "index": index, "content_block": begin},
                       {"type": "content_block_delta", "index": index, "delta": delta},
                       {"type": "content_block_stop", "index": index}]
        events += [{"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 2}},
                   {"type": "message_stop"}]
        return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]

    @classmethod
    def calls(cls, calls):
        return cls.stream([({"type": "tool_use", "id": id_, "name": name, "input": {}},
                            {"type": "input_json_delta", "partial_json": json.dumps(args)})
                           for id_, name, args in calls], "tool_use")

    @classmethod
    def says(cls, text):
        return cls.stream([({"type": "text", "text": ""}, {"type": "text_delta", "text": text})], "end_turn")


class Responses:
    @staticmethod
    def read(request):
        told, text, answered = [], "", True
        for item in request["input"]:
            if item.get("type") == "function_call":
                if answered:
                    told.append([])
                answered = False
            elif item.get("type") == "function_call_output":
                told[-1].append(item["output"])
                answered = True
            elif item.get("role") == "user":
                content = item["content"]
                text = text or (content if isinstance(content, str) else content[0]["text"])
        return told, text

    @staticmethod
    def stream(output):
        response = {"id": "resp_1", "status": "completed", "output": output,
                    "usage": {"input_tokens": 10, "output_tokens": 2}}
        return [{"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
                {"type": "response.completed", "response": response}]

    @classmethod
    def calls(cls, calls):
        return cls.stream([{"type": "function_call", "id": "fc_" + id_, "call_id": id_, "name": name,
                            "arguments": json.dumps(args), "status": "completed"} for id_, name, args in calls])

    @classmethod
    def says(cls, text):
        return cls.stream([{"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
                            "content": [{"type": "output_text", "text": text, "annotations": []}]}])


DIALECTS = {"/v1/chat/completions": Chat, "/v1/messages": Messages, "/v1/responses": Responses}
