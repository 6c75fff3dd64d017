"""The seam between the engine and planners: the same scripts in the process and over the wire, and
planners that behave badly."""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import unittest

import answers
from case import SystemTest, tool

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = json.loads((ROOT / "test" / "planner" / "scripts.json").read_text("utf-8"))
# Which of two calls ends first, or that nothing ever comes, is not for the script to say.
OPEN_ENDED = ('"await": "news"', '"after_ms": 5}', '"any"', '"repeat": 300', '"repeat": 12000')


def wants_order(script):
    text = json.dumps(script)
    return any(word in text for word in OPEN_ENDED)


class PlannerCase(SystemTest):
    def config(self, **more):
        world = self.world
        return {"server": {"planner_lease": "250ms"},
                "tools": {name: tool(world, "/" + name) for name in ("t", "slow", "gone")}
                | {"payments": tool(world, "/payments", "idempotent"),
                   "pay": tool(world, "/pay", "once")},
                "agents": {"scripted": {"planner": "script"}, "manual": {"planner": "manual"}}, **more}

    def server(self, **options):
        return super().server(options.pop("config", None) or self.config(), {}, **options)

    def setUp(self):
        self.world.rules(*(answers.replies(path, {"n": 1, "list": [1, 2]})
                           for path in ("/t", "/slow", "/payments", "/pay")),
                         answers.replies("/gone", {"why": "no such order"}, 404))


class Differential(PlannerCase):
    WEIGHT = 4

    def setUp(self):
        super().setUp()
        self.here = self.server()
        agents = {"scripted": {"planner": "python-script"}}
        self.there = self.server(config=self.config(agents=agents))
        process = subprocess.Popen(
            [sys.executable, ROOT / "examples" / "script_planner.py", self.there.url, "python-script"],
            env={**os.environ, "PERDURE_TOKEN": self.there.token}, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def both(self, script):
        """The normalised journals of one script, driven in the process and from outside."""
        journals = []
        for server in (self.here, self.there):
            task = server.api.submit("scripted", script)
            server.api.wait(task, "completed", "failed")
            journals.append(server.api.journal(task, normalised=True))
        return journals

    def test_the_common_scripts(self):
        compared = [script for script in SCRIPTS if not wants_order(script)]
        self.assertGreaterEqual(len(compared), 20)
        for script in compared:
            with self.subTest(json.dumps(script)[:120]):
                here, there = self.both(script)
                self.assertEqual(here, there)
                self.assertIn(here[-1]["type"], ("task_ended",))

    def test_outcomes_of_every_kind(self):
        script = [{"call": {"step": "a", "tool": "gone", "args": {"x": 1}}},
                  {"call": {"step": "b", "tool": "pament"}}, {"await": {"all": ["a", "b"]}},
                  {"note": {"failed": {"$result": "a"}}, "if": {"step": "a", "is": "failed"}},
                  {"note": "denied", "if": {"step": "b", "is": "denied"}},
                  {"timer": {"id": "t", "after_ms": 20}}, {"await": {"timer": "t"}},
                  {"call": {"step": "c", "tool": "payments", "args": {"from": {"$result": "a"}}}},
                  {"await": "c"}, {"complete": {"c": {"$result": "c"}}}]
        here, there = self.both({"script": script, "guarded": True})
        self.assertEqual(here, there)
        kinds = [record["type"] for record in here]
        self.assertEqual(kinds.count("noted"), 2)
        self.assertIn("timer_fired", kinds)

    def test_two_calls_at_once(self):
        script = {"script": [{"call": {"step": "a", "tool": "t"}}, {"call": {"step": "b", "tool": "slow"}},
                             {"await": {"any": ["a", "b"]}},
                             {"note": "a came first", "if": {"step": "a", "is": "succeeded"}},
                             {"await": {"all": ["a", "b"]}}, {"complete": {"$result": "b"}}]}
        journals = []
        for server in (self.here, self.there):
            self.world.rules(answers.replies("/t", 1), answers.held("/slow", "b", 2))
            task = server.api.submit("scripted", script)
            for event in server.api.stream(task):
                if event.name == "task.noted":
                    self.world.release("b")
            journals.append(server.api.journal(task, normalised=True))
        self.assertEqual(*journals)
        self.assertIn("noted", [record["type"] for record in journals[0]])

    def test_a_restart_between(self):
        script = {"script": [{"call": {"step": "a", "tool": "t"}}, {"await": "a"},
                             {"call": {"step": "b", "tool": "slow"}}, {"await": "b"},
                             {"complete": [{"$result": "a"}, {"$result": "b"}]}]}
        for server in (self.here, self.there):
            with self.subTest(server.url):
                self.world.rules(answers.replies("/t", 1), answers.held("/slow", "slow", 2))
                task = server.api.submit("scripted", script)
                self.world.wait_held("slow")
                server.listen = server.api.address
                server.kill()
                self.world.release("slow")
                server.start()
                self.assertEqual(server.api.wait(task, "completed")["result"], [1, 2])


class Misbehaviour(PlannerCase):
    WEIGHT = 3

    def poll(self, server, wait_s=10, **options):
        return server.api.post("/v1/planners/manual/poll", {"version": "m/1", "wait_s": wait_s}, **options)

    def plan(self, server):
        reply = self.poll(server)
        self.assertEqual(reply.status, 200, reply)
        return reply.json["plan"]

    def turn(self, server, plan, **more):
        body = {**{key: plan[key] for key in ("task", "turn", "upto_seq")}, **more}
        if "error" not in more:
            body.setdefault("planner_version", "m/1")
        return server.api.post("/v1/planners/manual/turns", body)

    def patient(self):
        return self.server(config=self.config(server={"planner_lease": "1h"}))

    def types(self, server, task):
        return [record["type"] for record in server.api.journal(task)]

    def test_a_turn_is_taken_once(self):
        server = self.patient()
        task = server.api.submit("manual", {"any": "thing"})
        plan = self.plan(server)
        self.assertEqual((plan["task"], plan["turn"], plan["input"]["json"]), (task, 1, {"any": "thing"}))
        note = [{"note": "one"}, {"timer": {"id": "t", "after_ms": 3_600_000}}]
        for wrong in ({"turn": 2}, {"turn": 7}, {"upto_seq": plan["upto_seq"] + 1}):
            reply = self.turn(server, {**plan, **wrong}, actions=note)
            self.assertEqual((reply.status, reply.json["code"]), (409, "stale_turn"), wrong)
        first = self.turn(server, plan, actions=note)
        self.assertEqual((first.status, first.body), (200, b'{"accepted":true,"repeated":false}'))
        again = self.turn(server, plan, actions=note)
        self.assertEqual((again.status, again.json["repeated"]), (200, True))
        other = self.turn(server, plan, actions=[{"note": "two"}])
        self.assertEqual(other.status, 409)
        server.kill()
        server.start()
        again = self.turn(server, plan, actions=note)
        self.assertEqual((again.status, again.json["repeated"]), (200, True), "after a restart too")
        self.assertEqual(self.types(server, task).count("noted"), 1)

    def test_malformed_turns(self):
        server = self.patient()
        task = server.api.submit("manual", 1)
        plan = self.plan(server)
        bad = {"a misspelt member": {"acts": []}, "a wrong type": {"actions": {}},
               "an unknown action": {"actions": [{"cal": {}}]},
               "no name": {"actions": [{"call": {"step": "", "name": "t"}}]},
               "behind the end": {"actions": [{"complete": 1}, {"note": 2}]},
               "too long a name": {"actions": [{"call": {"step": "x" * 129, "name": "t"}}]}}
        for what, members in bad.items():
            with self.subTest(what):
                reply = self.turn(server, plan, **members)
                self.assertEqual((reply.status, reply.json["code"]), (422, "malformed_turn"), reply)
        for depth, code in ((20, "too_large"), (300, "invalid_json")):
            self.assertEqual(self.turn(server, plan, **{"await": deep_await(depth)}).json["code"], code)
        self.assertEqual(self.turn(server, plan, actions=[{"complete": "fine"}]).status, 200)
        self.assertEqual(server.api.wait(task, "completed")["result"], "fine")

    def test_a_turn_that_contradicts_the_task(self):
        """Well-formed, but not possible: it is recorded and planned again."""
        server = self.patient()
        task = server.api.submit("manual", 1)
        plan = self.plan(server)
        call = {"call": {"step": "a", "name": "t"}}
        reply = self.turn(server, plan, actions=[call, call])
        self.assertEqual(reply.status, 422, reply)
        plan = self.plan(server)
        self.assertEqual((plan["turn"], plan["attempt"]), (1, 2))
        reply = self.turn(server, plan, actions=[call], **{"await": {"op": "step", "name": "a"}})
        self.assertEqual(reply.status, 200, reply)
        plan = self.plan(server)
        self.assertEqual(plan["turn"], 2)
        settled = [record for record in plan["records"] if record["type"] == "step_settled"]
        self.assertEqual(self.only(settled)["result"]["json"], {"n": 1, "list": [1, 2]})
        self.assertEqual(len(self.received("/t", "")), 1)
        self.turn(server, plan, actions=[{"complete": 1}])
        server.api.wait(task, "completed")

    def test_a_late_answer(self):
        server = self.server()
        task = server.api.submit("manual", 1)
        late = self.plan(server)
        plan = self.plan(server)
        self.assertEqual((plan["turn"], plan["attempt"]), (1, 2), "offered again when its lease ended")
        self.assertEqual(self.turn(server, late, actions=[{"complete": "late"}]).status, 409)
        self.turn(server, plan, actions=[{"complete": "in time"}])
        self.assertEqual(server.api.wait(task, "completed")["result"], "in time")
        self.assertEqual(self.turn(server, plan, actions=[{"complete": "again"}]).status, 409)

    def test_a_poller_that_goes_away(self):
        server = self.patient()
        gone = http.client.HTTPConnection(server.api.address, timeout=10)
        gone.request("POST", "/v1/planners/manual/poll", json.dumps({"version": "m/1", "wait_s": 20}),
                     {"Authorization": "Bearer " + server.token, "Content-Type": "application/json"})
        gone.close()
        while b'perdure_planner_polls_waiting{planner="manual"} 0' not in server.api.get("/metrics").body:
            pass
        task = server.api.submit("manual", 1)
        plan = self.plan(server)
        self.assertEqual(plan["attempt"], 1)
        self.turn(server, plan, actions=[{"complete": 1}])
        server.api.wait(task, "completed")

    def test_one_that_never_answers(self):
        server = self.server()
        tasks = [server.api.submit("manual", n) for n in range(2)]
        taken = {task: 0 for task in tasks}
        while sum(taken.values()) < 10:
            taken[self.plan(server)["task"]] += 1
        questions = {}
        for task in tasks:
            seen = server.api.wait(task, "input_required")
            self.assertEqual(seen["waiting_for"][0]["reason"], "planner_failed")
            questions[task] = self.only(server.api.inbox(task))["id"]
            self.assertEqual(self.types(server, task).count("turn_rejected"), 5)
        self.assertEqual(self.poll(server, 0).status, 204, "nobody is asked while a person is")
        self.assertEqual(server.api.resolve(questions[tasks[0]], "approve").status, 200)
        plan = self.plan(server)
        self.assertEqual(plan["task"], tasks[0])
        self.assertEqual(self.turn(server, plan, actions=[{"complete": "better"}]).status, 200)
        self.assertEqual(server.api.wait(tasks[0], "completed")["result"], "better")
        self.assertEqual(server.api.resolve(questions[tasks[1]], "reject").status, 200)
        self.assertEqual(server.api.wait(tasks[1], "failed")["stop_reason"], "planner_failed")

    def test_one_that_says_it_failed(self):
        server = self.patient()
        task = server.api.submit("manual", 1)
        reply = self.turn(server, self.plan(server), error="I lost my mind")
        self.assertEqual(reply.status, 200, reply)
        plan = self.plan(server)
        self.assertEqual(plan["attempt"], 2)
        rejected = [r for r in server.api.journal(task) if r["type"] == "turn_rejected"]
        self.assertEqual(self.only(rejected)["reason"], "I lost my mind")

    def test_a_cancel_closes_the_turn(self):
        server = self.patient()
        task = server.api.submit("manual", 1)
        plan = self.plan(server)
        self.assertEqual(server.api.post(f"/v1/tasks/{task}/cancel", {}).status, 200)
        self.assertEqual(self.turn(server, plan, actions=[{"complete": 1}]).status, 409)
        self.assertEqual(server.api.wait(task, "cancelled")["status"], "cancelled")

    def test_strangers(self):
        server = self.patient()
        task = server.api.submit("manual", 1)
        plan = self.plan(server)
        body = {"task": task, "turn": 1, "upto_seq": plan["upto_seq"], "planner_version": "x", "actions": []}
        self.assertEqual(server.api.post("/v1/planners/other/turns", body).status, 404)
        unknown = {**body, "task": "task_01hf7yat000000000000000000"}
        self.assertEqual(server.api.post("/v1/planners/manual/turns", unknown).status, 404)
        self.assertEqual(self.poll(server, token=None).status, 401)


def deep_await(depth):
    await_ = {"op": "news"}
    for _ in range(depth):
        await_ = {"op": "all", "of": [await_]}
    return await_


if __name__ == "__main__":
    unittest.main()
