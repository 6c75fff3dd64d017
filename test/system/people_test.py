"""What people are asked, what they may answer, and what becomes of it."""
import json
import unittest

import answers
from case import SystemTest, agent, tool


class People(SystemTest):
    def rules(self, *tool_calls, more=(), pay=None):
        """The model makes these calls, one a round, and then says so."""
        rules = [answers.calls((f"c{n}", *call), round=n) for n, call in enumerate(tool_calls)]
        rules.append(answers.says("Done.", round=len(tool_calls)))
        self.world.rules(*more, *rules, pay or answers.replies("/pay", {"paid": True}),
                         answers.replies("/look", {"seen": 1}), answers.replies("/ship", {"shipped": 1}))

    def begin(self, words, server=None, **options):
        server = server or self.server()
        return server, server.api.submit("orders", words, **options)

    def asked(self, server, task, reason):
        server.api.wait(task, "input_required")
        question = self.only(server.api.inbox(task))
        self.assertEqual(question["reason"], reason)
        self.assertEqual(server.api.get("/v1/interrupts/" + question["id"]).json, question)
        for answer in question["answers"]:
            self.assertIn(answer["decision"], question["allowed_decisions"])
            self.assertIn(question["id"], answer["command"])
        return question

    def decide(self, server, question, decision, status=200, **more):
        reply = server.api.resolve(question["id"], decision, **more)
        self.assertEqual(reply.status, status, reply)
        return reply

    def told(self, words):
        """What the model was told last."""
        return json.loads(self.model_bodies(words)[-1])["messages"][-1]["content"]


class Doubts(People):
    CUT = {"path": "/pay", "steps": [["cut"]]}

    def in_doubt(self, words):
        self.rules(("pay", {"order": words}), pay=self.CUT)
        server, task = self.begin(words)
        question = self.asked(server, task, "uncertain_outcome")
        self.assertEqual(question["allowed_decisions"], ["happened", "not_happened", "dismiss"])
        self.assertEqual(question["action"]["args"], {"order": words})
        self.assertEqual(len(self.received("/pay", words)), 1)
        self.decide(server, question, "approve", 422)
        return server, task, question

    def test_it_happened(self):
        server, task, question = self.in_doubt("doubt one")
        self.decide(server, question, "happened", result={"receipt": 7})
        server.api.wait(task, "completed")
        self.assertIn('{"receipt":7}', self.told("doubt one"))
        again = self.decide(server, question, "happened", result={"receipt": 7})
        self.assertIs(again.json["repeated"], True)
        self.decide(server, question, "not_happened", 409)
        self.assertEqual(server.api.get("/v1/interrupts/" + question["id"]).json["decision"], "happened")
        self.assertEqual(len(self.received("/pay", "doubt one")), 1)

    def test_it_did_not(self):
        server, task, question = self.in_doubt("doubt two")
        self.decide(server, question, "not_happened", message="the bank says no")
        server.api.wait(task, "completed")
        self.assertIn("did not take effect", self.told("doubt two"))
        self.assertIn("the bank says no", self.told("doubt two"))
        self.assertEqual(len(self.received("/pay", "doubt two")), 1)

    def test_nobody_knows(self):
        server, task, question = self.in_doubt("doubt three")
        server.kill()
        server.start()
        self.decide(server, question, "dismiss")
        server.api.wait(task, "completed")
        self.assertIn("not known whether", self.told("doubt three"))

    def test_the_model_may_be_told(self):
        config = self.config()
        config["tools"]["pay"]["on_doubt"] = "error"
        self.rules(("pay", {"order": "doubt four"}), pay=self.CUT)
        server, task = self.begin("doubt four", self.server(config))
        server.api.wait(task, "completed")
        self.assertIn("not known whether", self.told("doubt four"))

    def test_idempotent_is_sent_again_with_its_key(self):
        self.rules(("ship", {"order": "doubt five"}),
                   more=[{"path": "/ship", "contains": "doubt five", "times": 2, "steps": [["reset"]]}])
        server, task = self.begin("doubt five")
        server.api.wait(task, "completed")
        sent = self.received("/ship", "doubt five")
        self.assertEqual(len(sent), 3)
        self.assertEqual(len({request["headers"]["idempotency-key"] for request in sent}), 1)
        self.assertEqual(len({request["body"] for request in sent}), 1)


class Approvals(People):
    def config(self, **more):
        config = super().config(**more)
        config["tools"]["pay"]["approval"] = "always"
        return config

    def test_approved_once_runs_once(self):
        self.rules(("pay", {"order": "yes"}))
        server, task = self.begin("approve yes")
        question = self.asked(server, task, "tool_approval")
        self.assertEqual(self.received("/pay", "yes"), [], "nothing is sent before")
        server.kill()
        server.start()
        wrong = "0" * 64
        self.decide(server, question, "approve", 409, args_sha256=wrong)
        self.decide(server, question, "approve", args_sha256=question["action"]["args_sha256"])
        server.api.wait(task, "completed")
        sent = self.only(self.received("/pay", "yes"))
        self.assertEqual(sent["headers"]["idempotency-key"], question["action"]["key"])
        self.decide(server, question, "reject", 409)
        server.kill()
        server.start()
        self.decide(server, question, "reject", 409)
        self.assertEqual(len(self.received("/pay", "yes")), 1)

    def test_rejected_is_not_sent(self):
        self.rules(("pay", {"order": "no"}))
        server, task = self.begin("approve no")
        question = self.asked(server, task, "tool_approval")
        self.decide(server, question, "reject", message="too much")
        server.api.wait(task, "completed")
        self.assertEqual(self.received("/pay", "no"), [])
        self.assertIn("too much", self.told("approve no"))

    def test_an_agent_file_may_only_tighten(self):
        self.rules(("look", {"order": "tight"}))
        server = self.server(agents={"orders": agent(approval={"look": "always"})})
        _, task = self.begin("tighter", server)
        question = self.asked(server, task, "tool_approval")
        self.decide(server, question, "approve")
        server.api.wait(task, "completed")
        loose = self.server(agents={"orders": agent(approval={"pay": "never"})}, start=False)
        with self.assertRaisesRegex(AssertionError, "may only tighten"):
            loose.start()

    def test_answers_that_do_not_fit(self):
        self.rules(("pay", {"order": "fit"}))
        server, task = self.begin("misfit")
        question = self.asked(server, task, "tool_approval")
        for body in ({"decision": "happened"}, {"decision": "maybe"}, {}, {"decision": "approve", "rememb": 1},
                     {"decision": "approve", "add": {"cost_usd": 1}}, {"decision": "approve", "remember": True},
                     {"decision": "approve", "args_sha256": "12"}, {"decision": "reject", "message": 5}):
            reply = server.api.post(f"/v1/interrupts/{question['id']}/resolve", body)
            self.assertEqual(reply.status, 422, (body, reply))
        self.assertEqual(self.asked(server, task, "tool_approval"), question, "it is still open")


class Duplicates(People):
    def twice(self, words):
        call = ("pay", {"order": words})
        self.rules(call, call)
        server, task = self.begin(words)
        question = self.asked(server, task, "possible_duplicate")
        self.assertEqual(len(self.received("/pay", words)), 1)
        return server, task, question

    def test_approved_is_a_new_effect(self):
        server, task, question = self.twice("dup one")
        self.decide(server, question, "approve")
        server.api.wait(task, "completed")
        sent = self.received("/pay", "dup one")
        self.assertEqual(len(sent), 2)
        self.assertEqual(len({request["headers"]["idempotency-key"] for request in sent}), 2)

    def test_rejected_gets_the_earlier_outcome(self):
        server, task, question = self.twice("dup two")
        self.decide(server, question, "reject")
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay", "dup two")), 1)
        self.assertIn('{"paid": true}', self.told("dup two"))

    def test_in_one_answer(self):
        self.rules(more=[answers.calls(("a", "pay", {"order": "dup three"}), ("b", "pay", {"order": "dup three"}),
                                       round=0), answers.says("Done.", round=1)])
        server, task = self.begin("dup three")
        question = self.asked(server, task, "possible_duplicate")
        self.decide(server, question, "reject")
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay", "dup three")), 1)

    def test_identity_is_what_the_operator_says(self):
        config = self.config()
        config["tools"]["pay"]["identity"] = ["/order"]
        self.rules(("pay", {"order": "dup four", "why": "broken"}), ("pay", {"order": "dup four", "why": "late"}),
                   ("pay", {"order": "dup four", "why": "again"}), ("pay", {"order": "dup 4b", "why": "late"}))
        server, task = self.begin("dup four", self.server(config))
        question = self.asked(server, task, "possible_duplicate")
        self.decide(server, question, "approve", remember=True)
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay", "dup four")), 3)
        self.assertEqual(len(self.received("/pay", "dup 4b")), 1)

    def test_reads_are_not_asked_about(self):
        self.rules(("look", {"order": "dup five"}), ("look", {"order": "dup five"}))
        server, task = self.begin("dup five")
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/look", "dup five")), 2)


class Budgets(People):
    def test_calls_of_tools(self):
        self.rules(("look", {"n": 1, "b": "one"}), ("look", {"n": 2, "b": "one"}))
        server, task = self.begin("budget one", budget={"tool_calls": 1})
        question = self.asked(server, task, "budget_reached")
        self.assertEqual(question["needed"]["tool_calls"], 1)
        self.assertEqual(len(self.received("/look", '"one"')), 1)
        reply = self.decide(server, question, "approve", 422, add={"model_calls": 5})
        self.assertIn("too small", reply.json["detail"])
        self.decide(server, question, "approve", add={"tool_calls": 1})
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/look", '"one"')), 2)

    def test_money(self):
        self.rules(("look", {"b": "two"}))
        server, task = self.begin("budget two", budget={"cost_usd": 0.000001})
        question = self.asked(server, task, "budget_reached")
        self.assertEqual(self.model_bodies("budget two"), [], "reserved before the call")
        self.decide(server, question, "approve", add={"cost_usd": 1})
        ended = server.api.wait(task, "completed")
        self.assertLessEqual(ended["usage"]["cost_usd"], ended["budget"]["cost_usd"])

    def test_rejected_ends_the_task(self):
        self.rules(("look", {"b": "three"}))
        server, task = self.begin("budget three", budget={"model_calls": 1})
        question = self.asked(server, task, "budget_reached")
        self.decide(server, question, "reject")
        self.assertEqual(server.api.wait(task, "failed")["stop_reason"], "budget")

    def test_turns(self):
        self.rules(*[("look", {"n": n}) for n in range(5)])
        server, task = self.begin("budget four", budget={"turns": 2})
        self.assertEqual(server.api.wait(task, "failed")["stop_reason"], "max_turns")
        self.assertEqual(len(self.model_bodies("budget four")), 2)

    def test_a_task_may_only_tighten(self):
        server = self.server(agents={"orders": agent(limits={"turns": 3, "cost_usd": 0.5})})
        for budget in ({"turns": 4}, {"cost_usd": 1}, {"turn": 1}, {"turns": "2"}, {"cost_usd": -1}):
            reply = server.api.post("/v1/tasks", {"agent": "orders", "input": 1, "budget": budget})
            self.assertEqual(reply.status, 422, (budget, reply))
            self.assertIn("budget", reply.json["detail"])


class Inbox(People):
    def test_pages(self):
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", approval="always")
        self.rules(("pay", {"order": "inbox"}))
        server = self.server(config)
        tasks = [self.begin(f"inbox {n}", server)[1] for n in range(5)]
        for task in tasks:
            server.api.wait(task, "input_required")
        seen, cursor = [], ""
        for _ in range(3):
            page = server.api.get("/v1/interrupts?limit=2" + cursor).json
            seen += [item["task"] for item in page["interrupts"]]
            cursor = "&cursor=" + page["next_cursor"] if page["next_cursor"] else ""
        self.assertEqual(sorted(seen), sorted(tasks))
        self.assertEqual(cursor, "")
        self.assertEqual(server.api.get("/v1/tasks?status=input_required").json["next_cursor"], None)


if __name__ == "__main__":
    unittest.main()
