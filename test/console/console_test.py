#!/usr/bin/env python3
"""The console in a real browser, against the real binary: console_test.py [--pictures FOLDER]

Needs node, npm and Debian's chromium.
"""
import argparse
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

import answers  # noqa: E402
from case import SystemTest, agent, tool  # noqa: E402

EVIL = "<img src=x onerror='globalThis.owned=1'><script>globalThis.owned=1</script>"
TURNS = "\u202e"  # what follows reads from right to left
PICTURES = None


def install():
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = HERE / "node_modules" / ".installed-lock"
    if not stamp.exists() or stamp.read_bytes() != lock:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True,
                       stdout=subprocess.DEVNULL)
        stamp.write_bytes(lock)


class Console(SystemTest):
    def rules(self):
        self.world.rules(
            answers.calls(("c1", "look", {"order": "<b>bold</b>"}), round=0, contains="plain"),
            answers.says("Seen. " + EVIL, round=1, contains="plain"),
            answers.calls(("c2", "mail", {"to": "ann", "why": "to approve"}), round=0, contains="approve-me"),
            answers.calls(("c3", "mail", {"to": "bob", "why": "to reject"}), round=0, contains="reject-me"),
            answers.calls(("c6", "mail", {"to": "carl", "why": "to edit"}), round=0, contains="edit-me"),
            answers.calls(("c7", "mail", {"id": 9007199254740993, "rate": 3.0, "why": "to count"}), round=0,
                          contains="count-me"),
            answers.calls(("c8", "shop__ask", {}), round=0, contains="form-me"),
            answers.calls(("c9", "ask_person", {"question": "Which ids?", "schema": {
                "type": "object", "properties": {"ids": {"type": "array"}}}}), round=0, contains="json-me"),
            answers.calls(("c4", "mail", {"to": "eve", "why": "decided"}), round=0, contains="decided-before"),
            answers.calls(("c5", "pay", {"usd": 3}), round=0, contains="pay-me"),
            answers.calls(("c10", "ask_person", {"question": "Which colour?", "choices": ["red", "green"]}), round=0,
                          contains="choose-me"),
            answers.calls(("c11", "mail", {"to": "zoe" + TURNS, "why": EVIL}), round=0, contains="evil-call"),
            answers.calls(("c12", "ask_person", {"question": f"Is it {EVIL}{TURNS} so?"}), round=0, contains="evil-question"),
            answers.calls(("c13", "later", {}), round=0, contains="limit-me"),
            {"path": answers.MODEL_PATH, "contains": "tell-me", "times": 1,
             "steps": self.halting_steps()},
            answers.says("Once upon a time there was an end.", contains="tell-me"),
            answers.says("Done.", round=1),
            answers.replies("/look", {"state": "<i>open</i>"}), answers.replies("/mail", {"sent": True, "at": 18446744073709551615}),
            {"path": "/later", "steps": [["head", 429, {"Retry-After": "10800"}], ["end"]]},
            {"path": "/pay", "steps": [["cut"]]})

    def halting_steps(self):
        """A stream that begins when it is told to, and stops in its middle."""
        steps = answers.stream(answers.text_chunks("Once upon a time there was ..."), hold="begin", hold_at=1)
        return [*steps[:4], ["hold", "never"], *steps[4:]]

    def damaged(self):
        """A server with two damaged tasks: the call of one is under way, the other asks."""
        self.world.rules(answers.calls(("c1", "pay", {"usd": 3}), round=0, contains="pay-me"),
                         answers.calls(("c2", "mail", {"to": "ann"}), round=0, contains="approve-me"),
                         {"path": "/pay", "steps": [["hold", "pay"]]})
        config = self.config()
        config["tools"]["mail"] = tool(self.world, "/mail", "once", approval="always")
        server = self.server(config)
        paying = self.submit(server.api, "pay-me")
        self.world.wait_held("pay")
        asking = self.submit(server.api, "approve-me")
        server.api.wait(asking, "input_required")
        server.kill()
        database = sqlite3.connect(server.data / "perdure.db")
        with database:
            for pos, body in database.execute("SELECT pos, body FROM frame WHERE first_seq = 1").fetchall():
                database.execute("UPDATE frame SET body = ? WHERE pos = ?", (body[:-5] + bytes([body[-5] ^ 1]) + body[-4:], pos))
        database.close()
        server.start()
        # A list reads rows; somebody looks at the journal.
        self.until(lambda: server.api.get(f"/v1/tasks/{asking}/journal").status == 500)
        return server, paying, asking

    def test_a_damaged_task(self):
        install()
        server, paying, asking = self.damaged()
        node = self.start_browser(server, damaged=paying, asking=asking, only="damage")
        for line in node.stdout:
            print(line, end="", flush=True)
        self.assertEqual(node.wait(), 0)
        self.assertEqual(server.api.task(paying)["stop_reason"], "damaged")
        self.assertEqual(self.only(server.api.get("/v1/tasks?status=damaged").json["tasks"])["id"], asking)
        self.assertEqual(len(self.received("/pay")), 1)

    def submit(self, api, text):
        return api.post("/v1/tasks", {"agent": "orders", "input": text}).json["id"]

    def start_browser(self, server, **world):
        world |= {"url": server.url, "token": server.token, "browser": shutil.which("chromium"),
                  "approve_marker": "to approve", "reject_marker": "to reject", "edit_marker": "to edit", "pictures": PICTURES}
        node = subprocess.Popen(["node", "browser.mjs"], cwd=HERE, text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        self.addCleanup(node.stdout.close)
        self.addCleanup(node.wait)
        self.tell(node, world)
        return node

    def tell(self, node, value):
        node.stdin.write(json.dumps(value) + "\n")
        node.stdin.flush()

    def test_everything_a_person_does(self):
        install()
        self.rules()
        config = self.config(server={"hosts": ["perdure.lan"]})
        config["tools"]["later"] = tool(self.world, "/later")
        config["tools"]["mail"] = tool(self.world, "/mail", "once", approval="always")
        folder = tempfile.mkdtemp(prefix="perdure-console-")
        self.addCleanup(shutil.rmtree, folder, True)
        tools = HERE.parent / "system"
        config["mcp"] = {"shop": {
            "command": [sys.executable, "-B"], "args": [str(tools / "tool_server.py"), folder],
            "readable": [str(tools), sys.base_prefix, sys.prefix], "writable": [folder],
            "once": {"ask": {"approval": "never", "irreversible": True}}}}
        server = self.server(config, {"orders": agent(tools=["*", "ask_person"])})
        api = server.api
        completed = self.submit(api, "plain")
        api.wait(completed, "completed")
        waiting = [self.submit(api, text) for text in ("approve-me", "reject-me", "pay-me", "decided-before", "edit-me",
                                                        "count-me", "form-me", "json-me", "choose-me", "evil-call",
                                                        "evil-question")]
        for task in waiting:
            api.wait(task, "input_required")
        decided = next(i["id"] for i in api.get("/v1/interrupts").json["interrupts"] if i["task"] == waiting[3])
        api.post(f"/v1/interrupts/{decided}/resolve", {"decision": "approve"})
        api.wait(waiting[3], "completed")
        limited = self.submit(api, "limit-me")
        streaming = self.submit(api, "tell-me")
        node = self.start_browser(server, completed=completed, decided=decided, streaming=streaming,
                                  limited=limited)
        for line in node.stdout:
            if line.strip() == "speak":
                self.world.release("begin")
            elif line.strip() == "kill":
                server.listen = server.url.removeprefix("http://")
                server.kill()
            elif line.strip() == "noticed":
                server.start()
                self.tell(node, "started again")
            else:
                print(line, end="", flush=True)
        self.assertEqual(node.wait(), 0)
        self.assertEqual(len(self.received("/mail", '"dora"')), 1, "what was sent is what the person wrote")
        self.assertEqual(self.received("/mail", '"carl"'), [])
        told = json.loads(self.model_bodies("choose-me")[-1])["messages"][-1]
        self.assertEqual(told["content"], "green")
        form = self.model_bodies("form-me")[-1].replace("\\", "")
        self.assertIn('"size": "L"', form)
        self.assertIn('"gift": false', form)
        self.assertIn('[9007199254740993]', self.model_bodies("json-me")[-1])
        self.assertIn('"id":9007199254740993,', self.only(self.received("/mail", "counted"))["body"])


def main():
    global PICTURES
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=pathlib.Path, help="a folder for screenshots")
    flags = parser.parse_args()
    for program in ("node", "npm", "chromium"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed: run ./dev setup")
    if flags.pictures:
        flags.pictures.mkdir(parents=True, exist_ok=True)
        PICTURES = str(flags.pictures.resolve())
    result = unittest.TextTestRunner(verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Console))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
