"""What an agent file asks for, seen from outside: what the model is sent, what the client gets."""
import json
import unittest

import answers
from case import SystemTest, agent, model, tool

ORDER = {"type": "object", "required": ["order"], "additionalProperties": False,
         "properties": {"order": {"type": "integer", "minimum": 1}}}


class Agents(SystemTest):
    def told(self, body):
        """What the model was told by tools, in order."""
        return [message["content"] for message in json.loads(body)["messages"] if message["role"] == "tool"]

    def test_arguments_that_do_not_fit_are_not_sent_and_the_model_is_told_why(self):
        self.world.rules(
            answers.calls(("c1", "pay", {"order": "42", "usd": 3}), round=0),
            answers.calls(("c2", "pay", {"order": 42}), round=1),
            answers.says("Paid.", round=2), answers.replies("/pay", {"paid": True}))
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", input_schema=ORDER)
        server = self.server(config)
        server.api.wait(server.api.submit("orders", "pay order 42"), "completed")
        self.assertEqual([json.loads(request["body"]) for request in self.received("/pay", "42")],
                         [{"order": 42}])
        wrong, paid = self.told(self.model_bodies()[-1])
        for words in ("/order: expected a whole number, found the string \"42\"",
                      "/usd: expected no member of this name"):
            self.assertIn(words, wrong)
        self.assertEqual(json.loads(paid), {"paid": True})

    def errors(self, server, task):
        return server.api.wait(task, "failed")["error"]["message"]

    def test_an_answer_with_a_schema_is_the_result_and_is_repaired_once(self):
        schema = {"type": "object", "required": ["verdict"], "properties": {"verdict": {"enum": ["refund", "keep"]}}}
        self.world.rules(
            answers.says('{"verdict": "maybe"}', round=0, contains="order 1"),
            answers.says('```json\n{"verdict": "refund"}\n```', round=1, contains="order 1"),
            answers.says("I cannot say.", contains="order 2"))
        server = self.server(agents={"orders": agent(output_schema="verdict.json")}, start=False)
        (server.folder / "verdict.json").write_text(json.dumps(schema))
        server.start()
        done = server.api.wait(server.api.submit("orders", "order 1"), "completed")
        self.assertEqual(done["result"], {"verdict": "refund"})
        last = json.loads(self.model_bodies("order 1")[-1])["messages"]
        self.assertEqual([message["role"] for message in last], ["system", "user", "assistant", "user"])
        shown = json.dumps(schema, sort_keys=True, separators=(",", ":"))
        for told in (last[0], last[-1]):
            self.assertIn(shown, told["content"], "the schema itself, and not only what is wrong")
        self.assertIn('/verdict: expected one of "refund", "keep", found the string "maybe"', last[-1]["content"])
        task = server.api.submit("orders", "order 2")
        self.assertIn("the answer does not fit the agent's output_schema", self.errors(server, task))
        self.assertEqual(server.api.task(task)["usage"]["model_calls"], 2)

    def test_the_length_of_an_answer_is_the_less_of_two(self):
        self.world.rules(answers.says("Done."))
        for operators, agents, sent in ((2000, None, 2000), (2000, 8192, 2000), (2000, 500, 500), (None, None, 8192)):
            with self.subTest((operators, agents)):
                config = self.config()
                if operators:
                    config["models"]["main"]["max_output_tokens"] = operators
                own = {"max_output_tokens": agents} if agents else {}
                server = self.server(config, {"orders": agent(**own)})
                words = f"at most {operators} and {agents}"
                server.api.wait(server.api.submit("orders", words), "completed")
                self.assertEqual(json.loads(self.only(self.model_bodies(words)))["max_completion_tokens"], sent)

    def test_the_next_model_answers_where_the_first_cannot(self):
        backup = "/backup/v1/chat/completions"
        no_key = {"error": {"message": "bad key", "type": "invalid_request_error", "code": "invalid_api_key"}}
        self.world.rules(
            answers.replies(answers.MODEL_PATH, no_key, status=401, contains="order 3"),
            {**answers.calls(("c1", "look", {"order": 3}), round=0, contains="order 3"), "path": backup},
            {**answers.says("Done.", round=1, contains="order 3"), "path": backup},
            answers.replies(answers.MODEL_PATH, no_key, status=401),
            answers.replies(backup, no_key, status=401), answers.replies("/look", {"ok": True}))
        config = self.config()
        config["models"]["backup"] = model(self.world, base_url=self.world.url + "/backup/v1")
        server = self.server(config, {"orders": agent(model=["main", "backup"])})
        task = server.api.submit("orders", "order 3")
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Done."})
        planned = [(record["step"], record["name"]) for record in server.api.journal(task)
                   if record["type"] == "step_planned"]
        self.assertEqual(planned, [("m1", "main"), ("m2", "backup"), ("t2.0", "look"), ("m4", "backup")])
        task = server.api.submit("orders", "order 4")
        server.api.wait(task, "input_required")
        question = self.only(server.api.inbox(task))
        self.assertRegex(question["message"],
                         "model 'main' failed .auth.*; then the call of model 'backup' failed .auth")
        server.api.resolve(question["id"], "reject")
        self.assertEqual(self.errors(server, task), question["message"])

    def test_a_wait_outlives_the_process(self):
        self.world.rules(
            answers.calls(("c1", "wait", {"seconds": 1.5}), ("c2", "look", {}), round=0),
            answers.says("Waited.", round=1), answers.replies("/look", {"ok": True}))
        server = self.server(agents={"orders": agent(tools=["look", "wait"])})
        task = server.api.submit("orders", "wait a little")
        self.world.wait_count(1, "/look")
        server.kill()
        server.start()
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Waited."})
        waited, looked = self.told(self.model_bodies()[-1])
        self.assertRegex(waited, r"The wait is over. It is 20\d\d-.*Z now.")
        self.assertEqual(json.loads(looked), {"ok": True})
        set_at, fired_at = (next(record for record in server.api.journal(task) if record["type"] == kind)
                            for kind in ("timer_set", "timer_fired"))
        self.assertGreaterEqual(fired_at["at"], set_at["at"])

    def test_a_large_result_is_shown_in_part_and_read_by_range(self):
        large = "".join(f"line {i}\n" for i in range(40_000))  # too large for the frame of a record, too
        self.world.rules(
            answers.calls(("c1", "look", {}), round=0),
            answers.calls(("c2", "read_result", {"call": "t1.0", "offset": 200_000, "limit": 2000}), round=1),
            answers.says("Read.", round=2), answers.replies("/look", large))
        server = self.server(agents={"orders": agent(tools=["look", "read_result"])})
        task = server.api.submit("orders", "read it all")
        server.api.wait(task, "completed")
        shown, part = self.told(self.model_bodies()[-1])
        self.assertLess(len(shown), 17_000)
        self.assertIn('read_result {"call":"t1.0","offset":12288}', shown)
        text = json.dumps(large)
        self.assertEqual(part, f"(Bytes 200000 to 202000 of {len(text)}; there is more.)\n" + text[200_000:202_000])

    def test_a_task_finishes_on_the_version_it_began_with_and_shows_what_has_changed(self):
        self.world.rules(
            answers.calls(("c1", "pay", {"order": 7}), round=0), answers.says("Paid.", round=1),
            answers.replies("/pay", {"paid": True}))
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", approval="always", input_schema=ORDER)
        server = self.server(config, {"orders": agent(tools=["pay", "look"])})
        task = server.api.submit("orders", "pay order 7")
        before = server.api.wait(task, "input_required")
        self.assertNotIn("agent_change", before)
        pinned = before["agent_version"]
        server.stop()
        config["tools"]["pay"]["input_schema"] = {**ORDER, "required": []}
        server.configure(config, {"orders": agent(tools=["pay"], instructions="Be brief.")})
        server.start()
        now = server.api.task(task)
        self.assertEqual(now["agent_version"], pinned)
        self.assertEqual(now["agent_change"]["changed"], ["instructions", "tools.look", "tools.pay.input_schema"])
        new = server.api.submit("orders", "pay order 8")
        self.assertEqual(server.api.task(new)["agent_version"], now["agent_change"]["current"])
        server.api.resolve(self.only(server.api.inbox(task))["id"], "approve")
        self.assertNotIn("agent_change", server.api.wait(task, "completed"))
        first, *_, last = [json.loads(body) for body in self.model_bodies("pay order 7")]
        self.assertEqual(last["messages"][0]["content"], "You handle orders.")
        self.assertEqual(last["tools"], first["tools"])
        self.assertIn("Be brief.", self.model_bodies("pay order 8")[0])

    def test_a_model_asks_a_person_and_gets_the_answer_over_a_restart(self):
        schema = {"type": "string", "pattern": "^[0-9]+$"}
        self.world.rules(
            answers.calls(("c1", "ask_person", {"question": "Which order?", "choices": ["41", "42", "none"],
                                                "schema": schema}), round=0),
            answers.says("Thank you.", round=1))
        server = self.server(agents={"orders": agent(tools=["look", "ask_person"])})
        task = server.api.submit("orders", "the one that I meant")
        server.api.wait(task, "input_required")
        server.kill()
        server.start()
        question = self.only(server.api.inbox(task))
        self.assertEqual(question["reason"], "question")
        self.assertIn("Which order?", json.dumps(question))
        for answer, why in (("the red one", 'choices: "41", "42", "none"'), ("none", 'matches the pattern "^[0-9]+$"')):
            wrong = server.api.resolve(question["id"], "respond", value=answer)
            self.assertEqual(wrong.status, 422)
            self.assertIn(why, wrong.json["detail"])
        self.assertEqual(server.api.resolve(question["id"], "respond", value="42").status, 200)
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Thank you."})
        self.assertEqual(self.told(self.model_bodies()[-1]), ["42"])

    def test_a_model_in_circles_is_told_so_and_then_a_person_is_asked(self):
        self.world.rules(answers.says("I see.", contains="Look elsewhere"),
                         answers.calls(("c", "look", {"order": 1})), answers.replies("/look", {"state": "open"}))
        server = self.server()
        task = server.api.submit("orders", "look until it changes")
        server.api.wait(task, "input_required")
        question = self.only(server.api.inbox(task))
        self.assertEqual(question["reason"], "loop_detected")
        self.assertIn("made the same calls four times in a row", json.dumps(question))
        self.assertEqual(server.api.task(task)["usage"]["model_calls"], 8)
        server.api.resolve(question["id"], "approve", message="Look elsewhere.")
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "I see."})
        users = [m["content"] for m in json.loads(self.model_bodies()[-1])["messages"] if m["role"] == "user"]
        self.assertEqual(len(users), 3)
        self.assertTrue(users[1].startswith("You have made the same calls four times in a row"))
        self.assertTrue(users[2].endswith("says: Look elsewhere."))


if __name__ == "__main__":
    unittest.main()
