"""Values of the operator's secrets, planted wherever text comes from: prompts, tools, models, people,
planners. None of them is stored, logged, shown or told to a model; a value that is no secret is."""
import base64
import json
import pathlib
import sys
import threading
import unittest
import urllib.parse

import answers
from case import SystemTest, agent, model, tool
from server import run
from shell_test import WHY_NOT

VALUES = {
    "plain": "correct-horse-battery-staple",
    "key": "sk-proj-4f9aKz81LmQ2v7Xy0WbT6nRc",
    "quoted": 'pass"word\\with/everything',
    "spaced": "two words, three = a secret",
    "url": "https://user:hunter2@db.example:5432/app?sslmode=require&x=%20",
    "pem": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSj\n-----END KEY-----",
    "accents": "pässwört-für-größere-Fälle",
    "beyond": "ключ-🔑-🔒-секрет",
    "digits": "90817263544536271809",
    "base64": "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ+/w==",
    "shortest": "Zq8$kP1!",
    "long": "x9-" * 400 + "end",
}
CONTROL = "this-value-is-no-secret-0451"


def forms(value):
    data = value.encode()
    return {"plain": value, "base64": base64.b64encode(data).decode(),
            "url": urllib.parse.quote(value, safe=""), "hex": data.hex(),
            "json": json.dumps(value)[1:-1]}


ALL = {f"{name}, {form}": text for name, value in VALUES.items() for form, text in forms(value).items()}
CONTROLS = forms(CONTROL)
PLANTED = " | ".join([*ALL.values(), *CONTROLS.values()])
# Where only so much may be said.
BRIEF = " | ".join([*CONTROLS.values(), *(text for what, text in ALL.items() if "long" not in what)])


HERE = pathlib.Path(__file__).resolve().parent


def pieces(text, size):
    return [text[at:at + size] for at in range(0, len(text), size)]


class Planted(SystemTest):
    def stored(self):
        for file in [*self.served.data.rglob("*"), self.served.folder / "log"]:
            if file.is_file():
                yield f"the file {file.name}", file.read_bytes().decode("utf-8", "replace")

    def nothing_in(self, said):
        hits = [(what, place) for place, text in said for what, form in ALL.items() if form in text]
        self.assertEqual(hits, [], f"{len(hits)} hits")
        # What is no secret stands where it was put: this looks in the right places.
        found = {form for form, text in CONTROLS.items() for _, place in said if text in place}
        self.assertEqual(found, set(CONTROLS))
        return {place for place, text in said if CONTROL in text}


class PlantedSecrets(Planted):
    def config(self):
        world = self.world
        tools = {"good": tool(world, "/good"), "bad": tool(world, "/bad", description=PLANTED),
                 "lost": tool(world, "/lost", "once"), "big": tool(world, "/big"),
                 "ask": tool(world, "/ask", approval="always")}
        if not WHY_NOT:
            tools["sh"] = {"shell": {"workspace": "work"}}
        return {"models": {"main": model(world)}, "tools": tools,
                "agents": {"manual": {"planner": "manual"}},
                "secrets": {name: "env:SECRET_" + name.upper() for name in VALUES}}

    def setUp(self):
        env = {"SECRET_" + name.upper(): value for name, value in VALUES.items()}
        self.served = self.server(self.config(), {"orders": agent(instructions="Mind " + PLANTED)}, env,
                                  start=False)
        (self.served.folder / "work").mkdir()
        (self.served.folder / "work" / "planted").write_text(PLANTED)
        self.served.start()
        self.api = self.served.api

    def answers(self):
        """A conversation of five rounds in which everybody tells all."""
        calls = [("c1", "good", {"order": 1, "note": PLANTED}), ("c2", "bad", {"note": PLANTED}),
                 ("c3", "lost", {"note": PLANTED}), ("c4", "big", {}), ("c5", "ask", {"note": PLANTED})]
        if not WHY_NOT:
            calls.append(("c6", "sh", {"command": "cat planted; cat planted >&2"}))
        said = [answers.chunk({"role": "assistant", "content": ""}),
                *(answers.chunk({"content": piece}) for piece in pieces(PLANTED, 7)),
                answers.chunk({}, "stop", answers.USAGE)]
        text = {"Content-Type": "text/plain"}
        return [
            answers.calls(*calls, round=0),
            {"path": answers.MODEL_PATH, "round": 1, "steps": answers.stream(said, "last", 1)},
            {"path": "/good", "steps": [["head", 200, text], ["body", PLANTED], ["end"]]},
            {"path": "/bad", "steps": [["head", 422, text], ["body", PLANTED], ["end"]]},
            {"path": "/lost", "steps": [["head", 500, text], ["body", PLANTED], ["end"]]},
            {"path": "/big", "steps": [["head", 200, text], ["body", PLANTED * 60], ["end"]]},
            {"path": "/ask", "steps": [["head", 200, text], ["body", PLANTED], ["end"]]}]

    def watch(self, task):
        """All that an event stream shows of the task, pieces of answers put together."""
        shown = []

        def read():
            for event in self.api.stream(task):
                shown.append(event)
        thread = threading.Thread(target=read)
        thread.start()
        return shown, thread

    def conversation(self):
        self.world.rules(*self.answers())
        task = self.api.submit("orders", "Begin. " + PLANTED, metadata={"note": BRIEF})
        shown, thread = self.watch(task)
        asked = 0
        while asked < 2:
            self.api.wait(task, "input_required")
            for question in self.api.inbox(task):
                decision = "approve" if question["reason"] == "tool_approval" else "happened"
                more = {} if decision == "approve" else {"result": {"said": PLANTED}}
                reply = self.api.resolve(question["id"], decision, **more)
                self.assertEqual(reply.status, 200, reply)
                asked += 1
        self.world.wait_held("last")
        self.world.release("last")
        seen = self.api.wait(task, "completed")
        thread.join(30)
        deltas = "".join(event.data["data"]["text"] for event in shown if event.name == "model.delta")
        return task, {"the task": json.dumps(seen), "the stream": "".join(str(e.data) for e in shown),
                      "the deltas": deltas}

    def others(self):
        """A task that a person rejects, one that is cancelled, and one of a planner outside."""
        self.world.rules(answers.calls(("c1", "ask", {"n": 1}), round=0), answers.says("Well.", round=1))
        rejected = self.api.submit("orders", "reject me")
        self.api.wait(rejected, "input_required")
        question = self.only(self.api.inbox(rejected))
        self.assertEqual(self.api.resolve(question["id"], "reject", message="No: " + BRIEF).status, 200)
        self.api.wait(rejected, "completed")
        cancelled = self.api.submit("orders", "cancel me")
        self.api.wait(cancelled, "input_required")
        reply = self.api.post(f"/v1/tasks/{cancelled}/cancel", {"reason": BRIEF})
        self.assertIn(reply.status, (200, 202), reply)
        self.api.wait(cancelled, "cancelled")
        planned = self.api.submit("manual", {"note": PLANTED})
        plan = self.api.post("/v1/planners/manual/poll", {"version": "1", "wait_s": 10}).json["plan"]
        reply = self.api.post("/v1/planners/manual/turns", {
            "task": planned, "turn": plan["turn"], "upto_seq": plan["upto_seq"], "planner_version": "1",
            "actions": [{"note": PLANTED}, {"complete": {"note": PLANTED}}]})
        self.assertEqual(reply.status, 200, reply)
        self.api.wait(planned, "completed")
        return [rejected, cancelled, planned]

    def places(self, tasks):
        for task in tasks:
            yield f"events of {task}", json.dumps(self.api.events(task), ensure_ascii=False)
            yield f"journal of {task}", json.dumps(self.api.journal(task), ensure_ascii=False)
            yield f"state of {task}", self.api.get(f"/v1/tasks/{task}/state").body.decode()
        yield "the inbox", self.api.get("/v1/interrupts?limit=200").body.decode()
        yield "the list", self.api.get("/v1/tasks").body.decode()
        yield "metrics", self.api.get("/metrics").body.decode()
        yield "what the model read", "".join(self.model_bodies())
        for path in ("/good", "/bad", "/lost", "/ask"):
            yield "what was sent to " + path, "".join(r["body"] for r in self.received(path))

    def test_stands_nowhere(self):
        task, seen = self.conversation()
        tasks = [task, *self.others()]
        said = [*seen.items(), *self.places(tasks), *self.stored()]
        self.served.stop()
        said += self.stored()
        by_place = self.nothing_in(said)
        for place in ("the task", "the deltas", f"events of {task}", f"journal of {task}",
                      "what the model read", "the file perdure.db"):
            self.assertIn(place, by_place)
        blobs = [name for name in by_place if name.startswith("the file ") and "perdure" not in name]
        self.assertNotEqual(blobs, [], "the large output is among the blobs")


class PlantedByAToolServer(Planted):
    """A server of tools is given secrets, and says them in all that it says."""

    def setUp(self):
        env = {"SECRET_" + name.upper(): value for name, value in VALUES.items()}
        self.served = self.server({}, {}, env, start=False)
        self.folder = self.served.folder / "shop"
        self.folder.mkdir()
        (self.folder / "planted").write_text(PLANTED)
        shop = {"command": [sys.executable, "-B"], "args": [str(HERE / "telling_server.py"), str(self.folder)],
                "readable": [str(HERE), sys.base_prefix, sys.prefix], "writable": [str(self.folder)],
                "env": {"KEY": "{{secret:plain}}"}, "read": ["tell", "fail", "refuse", "ask"],
                "once": {"die": {"approval": "never", "irreversible": True}}}
        self.served.configure({"models": {"main": model(self.world)}, "mcp": {"shop": shop},
                               "secrets": {name: "env:SECRET_" + name.upper() for name in VALUES}},
                              {"orders": agent(tools=["shop.*"])})
        self.served.start()
        self.api = self.served.api

    def decide(self, task, reason, decision, **more):
        self.api.wait(task, "input_required")
        question = self.only(self.api.inbox(task))
        self.assertEqual(question["reason"], reason)
        yield "the question " + reason, json.dumps(question, ensure_ascii=False)
        yield "the terminal: " + reason, run("inbox", "--data-dir", self.served.data).stdout
        self.assertEqual(self.api.resolve(question["id"], decision, **more).status, 200)

    def test_stands_nowhere(self):
        tools = ("tell", "fail", "refuse", "ask", "die")
        rounds = [answers.calls((f"c{n}", "shop__" + tool, {}), round=n) for n, tool in enumerate(tools)]
        self.world.rules(*rounds, answers.says("Done.", round=len(tools)))
        task = self.api.submit("orders", "Begin.")
        said = [*self.decide(task, "question", "respond", value={}),
                *self.decide(task, "uncertain_outcome", "not_happened")]
        seen = self.api.wait(task, "completed")
        said += [("the task", json.dumps(seen)),
                 ("journal", json.dumps(self.api.journal(task), ensure_ascii=False)),
                 ("events", json.dumps(self.api.events(task), ensure_ascii=False)),
                 ("what the model read", "".join(self.model_bodies())),
                 ("the tools", self.api.get("/v1/tools").body.decode())]
        for command in (("tools", "check"), ("events", task), ("tools", "accept", "shop")):
            shown = run(*command, "--data-dir", self.served.data)
            said.append(("the terminal: " + command[0], shown.stdout + shown.stderr))
        self.served.stop()
        said += self.stored()
        by_place = self.nothing_in(said)
        for place in ("journal", "what the model read", "the tools", "the file shop.json", "the question question",
                      "the file log"):
            self.assertIn(place, by_place)
        self.assertIn("{{secret:plain}}", json.dumps(said))


if __name__ == "__main__":
    unittest.main()
