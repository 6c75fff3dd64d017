#!/usr/bin/env python3
"""A server of the Model Context Protocol over HTTP that acts and then breaks off.

    http_tool_server.py FOLDER PORT

FOLDER/ledger.jsonl has a line for each time that a tool has acted, with the key it was sent. If FOLDER/dies exists,
the process is killed behind that, before its answer is written; the file goes first.
"""
import json
import os
import pathlib
import signal
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SESSION = uuid.uuid4().hex


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = None
    unsent = {}  # event id: the answer that went missing

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def result(self, request, result, **headers):
        body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()
        self.reply(200, body, Content_Type="application/json", **headers)

    def begin_events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def event(self, text):
        self.wfile.write(text.encode() + b"\n\n")
        self.wfile.flush()

    def do_GET(self):
        last = self.headers.get("Last-Event-ID")
        if last not in self.unsent:
            return self.reply(405)
        self.begin_events()
        self.event("id: e2\ndata: " + self.unsent[last])

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = request.get("method")
        if method != "initialize" and self.headers.get("Mcp-Session-Id") != SESSION:
            return self.reply(404)
        if method == "initialize":
            return self.result(request, {"protocolVersion": request["params"]["protocolVersion"],
                                         "capabilities": {"tools": {}}, "serverInfo": {"name": "http", "version": "1"}},
                               Mcp_Session_Id=SESSION)
        if method == "tools/list":
            return self.result(request, {"tools": [{"name": name, "inputSchema": {"type": "object"}}
                                                   for name in ("pay", "refund", "resumed")]})
        if method != "tools/call":
            return self.reply(202)
        return self.act(request)

    def act(self, request):
        with open(self.folder / "ledger.jsonl", "a", encoding="utf-8") as out:
            out.write(json.dumps(request["params"]["_meta"]["perdure/idempotency-key"]) + "\n")
            out.flush()
            os.fsync(out.fileno())
        self.begin_events()
        answer = json.dumps({"jsonrpc": "2.0", "id": request["id"],
                             "result": {"content": [{"type": "text", "text": "done"}]}})
        if request["params"]["name"] == "resumed":
            self.unsent["e1"] = answer
            return self.event("id: e1\nretry: 10\ndata: ")
        if (self.folder / "dies").exists():
            (self.folder / "dies").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.event("data: " + answer)


class Server(ThreadingHTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    Handler.folder = pathlib.Path(sys.argv[1])
    server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
