"""What people are asked, what they may answer, and what becomes of it."""
import hashlib
import json
import unittest

import answers
from case import agent, tool
from people import People
from server import run


class Doubts(People):
    CUT = {"path": "/pay", "steps": [["cut"]]}

    def in_doubt(self, words):
        self.rules(("pay", {"order": words}), pay=self.CUT)
        server, task = self.begin(words)
        question = self.asked(server, task, "uncertain_outcome")
        self.assertEqual(question["allowed_decisions"], ["happened", "not_happened", "dismiss"])
        self.assertEqual(question["action"]["args"], {"order": words})
        text = question["action"]["args_text"]
        self.assertEqual(json.loads(text), {"order": words})
        self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), question["action"]["args_sha256"])
        self.assertEqual(len(self.received("/pay", words)), 1)
        self.decide(server, question, "approve", 422)
        return server, task, question

    def test_the_screen_says_to_whom_and_how_to_check(self):
        config = self.config()
        config["tools"]["pay"]["http"]["url"] += "/{order}?api_key=not-for-people"
        config["tools"]["pay"]["http"]["headers"] = {"Authorization": "Bearer not-for-people"}
        config["tools"]["pay"]["check"] = "search for {key} at https://pay.example/admin?order={order}"
        for check in (True, False):
            if not check:
                del config["tools"]["pay"]["check"]
            words = f"doubt of {check}"
            self.rules(("pay", {"order": words}), pay={**self.CUT, "path": "/pay/" + words.replace(" ", "%20") +
                                                       "?api_key=not-for-people"})
            server, task = self.begin(words, self.server(config))
            action = self.asked(server, task, "uncertain_outcome")["action"]
            coded = words.replace(" ", "%20")
            self.assertEqual(action["to"], f"POST {self.world.url}/pay/{coded}?api_key=***")
            self.assertEqual(action["key_in"], "header Idempotency-Key")
            self.assertEqual(action["check"], f"search for {action['key']} at https://pay.example/admin?order={coded}"
                             if check else "look there for this key, or for what these arguments would have done")
            shown = run("inbox", "--data-dir", server.data).stdout
            for line in (action["to"], f"{action['key']}  (in header Idempotency-Key)", action["check"], "sent"):
                self.assertIn(line, shown)
            self.assertNotIn("not-for-people", shown + json.dumps(action))
            self.assertEqual(self.only(self.received("/pay/" + coded))["headers"]["idempotency-key"], action["key"])

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


class Decisions(People):
    def config(self, **more):
        config = super().config(**more)
        config["tools"]["pay"].update(approval="always", identity=["/order"])
        config["tools"]["pay"]["input_schema"] = {
            "type": "object", "properties": {"amount": {"type": "number"}}, "required": ["order"]}
        config["policy"] = [
            {"tool": "pay", "where": {"/amount": {"gt": 1000}}, "then": "deny", "reason": "too much"},
            {"tool": "pay", "where": {"/amount": {"le": 5}}, "then": "allow"}]
        return config

    def edited(self, words, amount=50):
        self.rules(("pay", {"order": words, "amount": amount}))
        server, task = self.begin(words)
        return server, task, self.asked(server, task, "tool_approval")

    def test_edited_arguments_are_what_is_sent(self):
        server, task, question = self.edited("edit one")
        self.assertEqual(question["allowed_decisions"], ["approve", "edit", "reject", "respond"])
        args = {"order": "edit one", "amount": 40}
        self.decide(server, question, "edit", 409, args=args, args_sha256="0" * 64)
        self.decide(server, question, "edit", args=args, args_sha256=question["action"]["args_sha256"])
        server.api.wait(task, "completed")
        sent = self.only(self.received("/pay", "edit one"))
        self.assertEqual(json.loads(sent["body"]), args)
        self.assertEqual(sent["headers"]["idempotency-key"], question["action"]["key"], "of its position")
        told = self.told("edit one")
        self.assertIn("A person replaced the arguments", told)
        self.assertIn('"paid": true', told)
        calls = [m for m in json.loads(self.model_bodies("edit one")[-1])["messages"] if m.get("tool_calls")]
        self.assertIn("50", calls[0]["tool_calls"][0]["function"]["arguments"], "the model's own call stays")
        self.assertIs(self.decide(server, question, "edit", args=args).json["repeated"], True)
        self.decide(server, question, "edit", 409, args={"order": "edit one", "amount": 41})

    def test_an_edit_stays_within_schema_and_policy(self):
        server, task, question = self.edited("edit two")
        reply = self.decide(server, question, "edit", 422, args={"amount": 1})
        self.assertIn("order", reply.json["detail"])
        reply = self.decide(server, question, "edit", 422, args={"order": "edit two", "amount": 1001})
        self.assertIn("too much", reply.json["detail"])
        for args in ([], "text", None):
            self.decide(server, question, "edit", 422, args=args)
        self.assertEqual(self.received("/pay", "edit two"), [])
        self.assertEqual(self.asked(server, task, "tool_approval"), question, "it is still open")

    def test_an_edit_that_equals_an_earlier_call_is_asked_about(self):
        self.rules(("pay", {"order": "edit three", "amount": 1}), ("pay", {"order": "edit 3b", "amount": 50}))
        server, task = self.begin("edit three")
        question = self.asked(server, task, "tool_approval")
        self.decide(server, question, "edit", args={"order": "edit three", "amount": 50})
        again = self.asked(server, task, "possible_duplicate")
        self.assertEqual(again["action"]["args"]["order"], "edit three")
        self.decide(server, again, "reject")
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay", "edit three")), 1)

    def test_an_answer_in_place_of_the_call(self):
        server, task, question = self.edited("respond one")
        self.decide(server, question, "respond", message="it was paid by hand")
        server.api.wait(task, "completed")
        self.assertEqual(self.received("/pay", "respond one"), [])
        self.assertEqual(self.told("respond one"), "it was paid by hand")

    def test_a_tool_cannot_approve_a_call_of_its_agent(self):
        self.rules(("look", {"order": "own one"}), ("pay", {"order": "own one", "amount": 50}))
        server, task = self.begin("own one")
        question = self.asked(server, task, "tool_approval")
        known = self.only(self.received("/look", "own one"))  # all that the tool was ever given
        for credential in (None, "", *known["headers"].values(), known["body"]):
            reply = server.api.post(f"/v1/interrupts/{question['id']}/resolve", {"decision": "approve"},
                                    token=credential and credential.replace("\n", " "))
            self.assertEqual(reply.status, 401, credential)
        self.assertEqual(self.asked(server, task, "tool_approval"), question, "it is still open")
        self.assertEqual(self.received("/pay", "own one"), [])

    def test_policy_by_arguments(self):
        self.rules(("pay", {"order": "policy one", "amount": 5}), ("pay", {"order": "policy 1b", "amount": 2000}))
        server, task = self.begin("policy one")
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay", "policy one")), 1, "allowed")
        self.assertEqual(self.received("/pay", "policy 1b"), [], "denied")
        self.assertIn("too much", self.told("policy one"))

    def test_what_cannot_be_compared_is_judged_strictly(self):
        self.rules(("pay", {"order": "policy two"}))
        server, task = self.begin("policy two")
        server.api.wait(task, "completed")
        self.assertEqual(self.received("/pay", "policy two"), [], "no amount: the denial holds")

    def test_mistakes_in_the_policy_are_named(self):
        for rule, words in (({"tool": "pya", "then": "deny"}, "did you mean 'pay'"),
                            ({"tool": "pay"}, "then"), ({"tool": "pay", "then": "denied"}, "then"),
                            ({"tool": "pay", "then": "ask", "where": {"amount": {"gt": 1}}}, "JSON Pointer"),
                            ({"tool": "pay", "then": "ask", "where": {"/a": {"gtt": 1}}}, "gt"),
                            ({"tool": "pay", "then": "ask", "where": {"/a": {"gt": "1"}}}, "a number")):
            config = self.config()
            config["policy"] = [rule]
            server = self.server(config, start=False)
            with self.assertRaisesRegex(AssertionError, words):
                server.start()


class Expiry(People):
    def waiting(self, words, people, **tool_people):
        config = self.config()
        config["tools"]["pay"]["approval"] = "always"
        config["people"] = people
        if tool_people:
            config["tools"]["pay"]["people"] = tool_people
        self.rules(("pay", {"order": words}))
        server, task = self.begin(words, self.server(config))
        return server, task, self.asked(server, task, "tool_approval")

    def events(self, server, task):
        return [event["type"] for event in server.api.events(task)]

    def test_the_default_stands_after_a_restart(self):
        server, task, question = self.waiting("expire one", {"expires": "2s", "assignees": ["ann"]})
        self.assertEqual(question["assignees"], ["ann"])
        self.assertEqual(question["on_expire"], "reject")
        self.assertIn("expires_at", question)
        server.kill()
        server.start()
        server.api.wait(task, "completed")
        self.assertEqual(self.received("/pay", "expire one"), [])
        self.assertIn("Nobody decided", self.told("expire one"))
        self.decide(server, question, "approve", 409)
        self.assertEqual(server.api.get("/v1/interrupts/" + question["id"]).json["status"], "expired")
        self.assertIn("interrupt.expired", self.events(server, task))

    def test_whose_questions_and_which(self):
        server, task, question = self.waiting("whose one", {"assignees": ["ann"]})
        listed = lambda query: [item["id"] for item in server.api.get("/v1/interrupts?" + query).json["interrupts"]]
        self.assertEqual(listed("assignee=ann"), [question["id"]])
        self.assertEqual(listed("assignee=bob"), [])
        self.decide(server, question, "approve")
        server.api.wait(task, "completed")
        self.assertEqual(listed("assignee=ann"), [])
        self.assertEqual(listed(f"task={task}&status=resolved&assignee=ann"), [question["id"]])
        self.assertEqual(listed(f"task={task}&status=expired"), [])
        self.assertEqual(server.api.get("/v1/interrupts?status=resolved").status, 422)
        self.assertEqual(server.api.get("/v1/interrupts?status=solved").status, 422)

    def test_a_decision_cancels_it(self):
        server, task, question = self.waiting("expire two", {"expires": "1h", "on_expire": "fail"})
        self.decide(server, question, "approve")
        server.api.wait(task, "completed")
        self.assertNotIn("interrupt.expired", self.events(server, task))

    def test_reminders_and_escalation(self):
        server, task, question = self.waiting(
            "expire three", {"expires": "1h"}, remind=["250ms"], escalate={"after": "500ms", "to": ["group:ops"]},
            expires="1500ms", on_expire="fail")
        server.api.wait(task, "failed")
        events = self.events(server, task)
        for event in ("interrupt.reminded", "interrupt.escalated", "interrupt.expired"):
            self.assertEqual(events.count(event), 1, events)
        self.assertEqual(server.api.task(task)["stop_reason"], "expired")


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
        self.assertEqual(question["message"], "1 tool calls of 1 tool calls are spent or set aside, and the next call "
                         "needs 1 tool calls")
        self.assertEqual(question["answers"][0]["body"], {"decision": "approve", "add": {"tool_calls": 1}})
        self.assertTrue(question["answers"][0]["command"].endswith(" --add-tool-calls 1"), question)
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
        self.assertRegex(question["message"], r"^0.00 USD of 0.000001 USD are spent .* needs 0.\d+ USD$")
        reply = self.decide(server, question, "approve", 422, add={"cost_usd": 0.0000001})
        self.assertIn("body.add.cost_usd", reply.json["detail"])
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
        self.pages_of_one_task(server, tasks[0])
        self.assertEqual(server.api.get("/v1/tasks?status=input_required").json["next_cursor"], None)

    def pages_of_one_task(self, server, task):
        self.decide(server, self.only(server.api.inbox(task)), "reject")
        server.api.wait(task, "completed")
        all_of_it = server.api.get(f"/v1/interrupts?task={task}&status=all").json
        self.assertEqual((len(all_of_it["interrupts"]), all_of_it["next_cursor"]), (1, None))
        behind = server.api.get(f"/v1/interrupts?task={task}&status=all&cursor={all_of_it['interrupts'][0]['id']}")
        self.assertEqual(behind.json, {"interrupts": [], "next_cursor": None})


if __name__ == "__main__":
    unittest.main()
