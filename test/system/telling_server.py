#!/usr/bin/env python3
"""A server of the Model Context Protocol that tells all it knows, in every place where a server says anything.

    telling_server.py FOLDER

What it tells is the text in FOLDER/planted.
"""
import json
import os
import pathlib
import sys

import tool_server

PLANTED = (pathlib.Path(sys.argv[1]) / "planted").read_text("utf-8")
SCHEMA = {"type": "object", "title": PLANTED,
          "properties": {PLANTED: {"type": "string", "description": PLANTED, "default": PLANTED}}}
tool_server.TOOLS = [{"name": name, "title": PLANTED, "description": name + ": " + PLANTED, "inputSchema": SCHEMA,
                      "annotations": {"title": PLANTED}}
                     for name in ("tell", "fail", "refuse", "ask", "die")]
tool_server.TOOLS.append({"name": PLANTED, "inputSchema": {"type": "object"}})
tool_server.TOOLS.append({"name": "odd", "inputSchema": {"type": PLANTED}})


class Server(tool_server.Server):
    def result(self, request, **result):
        if "serverInfo" in result:
            result["serverInfo"] = {"name": PLANTED[:1500], "version": "1"}
        super().result(request, **result)

    def chatter(self, request):
        """What comes before an answer."""
        self.send({"method": "notifications/progress", "params": {
            "progressToken": request["params"]["_meta"]["progressToken"], "progress": 1, "message": PLANTED}})
        self.send({"method": "notifications/message", "params": {"level": "info", "data": PLANTED}})
        sys.stdout.write(PLANTED.replace("\n", " ") + "\n")
        self.send({"method": PLANTED})
        self.send({"id": "x", "method": PLANTED})
        print(PLANTED, file=sys.stderr, flush=True)

    def tell(self, request):
        self.chatter(request)
        self.says(request, PLANTED, structuredContent={PLANTED: PLANTED})

    def fail(self, request):
        self.says(request, PLANTED, isError=True)

    def refuse(self, request):
        self.send({"id": request["id"], "error": {"code": -32601, "message": PLANTED, "data": PLANTED}})

    def ask(self, request):
        properties = {"size": {"type": "string", "title": PLANTED, "description": PLANTED, "default": PLANTED}}
        self.send({"id": "q1", "method": "elicitation/create", "params": {
            "message": PLANTED, "requestedSchema": {"type": "object", "properties": properties}}})
        self.says(request, sys.stdin.readline())

    def die(self, request):
        print(PLANTED, file=sys.stderr, flush=True)
        os._exit(3)


if __name__ == "__main__":
    Server(sys.argv[1]).run()
