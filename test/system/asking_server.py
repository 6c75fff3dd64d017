#!/usr/bin/env python3
"""A server of the Model Context Protocol whose tools ask their user something. They run side by side, and wait
for files of FOLDER that a test writes."""
import itertools
import json
import sys
import threading
import time

import tool_server

SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
tool_server.TOOLS = [{"name": name, "description": "Does it.", "inputSchema": {"type": "object"}}
                     for name in ("ask", "late", "wait", "go_on", "change_mind")]


class Server(tool_server.Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.sending = threading.Lock()
        self.numbers = itertools.count()
        self.answers = {}

    def send(self, message):
        with self.sending:
            super().send(message)

    def receive(self, message):
        if "method" not in message:
            self.note("answers.jsonl", message)
            self.answers[message["id"]] = message.get("result", message.get("error"))
        elif message["method"] == "tools/call":
            self.note("calls.jsonl", message["params"])
            call = getattr(self, message["params"]["name"])
            threading.Thread(target=call, args=(message,), daemon=True).start()
        else:
            super().receive(message)

    def question(self, text):
        name = f"q{next(self.numbers)}"
        self.send({"id": name, "method": "elicitation/create", "params": {"message": text, "requestedSchema": SCHEMA}})
        return name

    def answer_to(self, name):
        while name not in self.answers:
            time.sleep(0.01)
        return json.dumps(self.answers[name])

    def wait_for(self, name):
        while not (self.folder / name).exists():
            time.sleep(0.01)

    def ask(self, request):
        self.says(request, self.answer_to(self.question("Really?")))

    def late(self, request):
        """Goes on when nobody waits for it any more."""
        self.send({"method": "notifications/message", "params": {"level": "info", "data": "working"}})
        self.wait_for("late")
        self.note("late.jsonl", self.answer_to(self.question("Transfer it all?")))

    def wait(self, request):
        self.wait_for("go")
        self.says(request, "done")

    def go_on(self, request):
        self.question("Does it matter?")
        self.says(request, "went on without")

    def change_mind(self, request):
        first = self.question("One?")
        self.wait_for("withdraw")
        self.send({"method": "notifications/cancelled", "params": {"requestId": first}})
        self.says(request, self.answer_to(self.question("Two?")))


if __name__ == "__main__":
    Server(sys.argv[1]).run()
