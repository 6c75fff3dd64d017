"""Questions of models and planners: what may be answered, and what becomes of the answer."""
import unittest

import answers
from case import SystemTest, agent
from people import People
from server import run


class PlannersQuestions(SystemTest):
    def asked(self, **schema):
        server = self.server({**self.config(), "agents": {"desk": {"planner": "clerk"}}}, agents={})
        task = server.api.submit("desk", "x")
        plan = server.api.post("/v1/planners/clerk/poll", {"version": "1", "wait_s": 20}).json["plan"]
        ask = {"step": "q", "question": "How many?", "schema": schema}
        turn = {"task": task, "turn": plan["turn"], "upto_seq": plan["upto_seq"], "planner_version": "1",
                "actions": [{"ask": ask}], "await": {"op": "step", "name": "q"}}
        self.assertEqual(server.api.post("/v1/planners/clerk/turns", turn).status, 200)
        server.api.wait(task, "input_required")
        return server, self.only(server.api.inbox(task))

    def test_an_answer_fits_the_schema_that_was_asked_for(self):
        server, question = self.asked(type="integer", minimum=1)
        self.assertEqual(question["question"]["schema"]["minimum"], 1)
        respond = question["answers"][0]
        self.assertEqual((respond["body"], respond["command"]),
                         ({"decision": "respond", "value": None}, f"perdure answer {question['id']} --value 'JSON'"))
        self.assertIn("--value 'JSON'", run("inbox", "--data-dir", server.data).stdout)
        for wrong in ({"value": 0}, {"value": "3"}, {"message": "three"}):
            self.assertEqual(server.api.resolve(question["id"], "respond", **wrong).status, 422, wrong)
        self.assertEqual(server.api.resolve(question["id"], "respond", value=3).status, 200)
        plan = server.api.post("/v1/planners/clerk/poll", {"version": "1", "wait_s": 20}).json["plan"]
        given = [r["given"]["json"] for r in plan["records"] if r["type"] == "interrupt_resolved"]
        self.assertEqual(given, [3])


class Questions(People):
    def asking(self, words):
        self.rules(("ask_person", {"question": "Which colour, " + words + "?", "choices": ["red", "green"]}))
        server = self.server(agents={"orders": agent(tools=["*", "ask_person"])})
        _, task = self.begin(words, server)
        return server, task, self.asked(server, task, "question")

    def test_an_answer_is_the_result(self):
        server, task, question = self.asking("ask one")
        self.assertEqual(question["allowed_decisions"], ["respond", "reject"])
        self.assertEqual(question["message"], "Which colour, ask one?")
        self.assertEqual(question["question"]["choices"], ["red", "green"])
        server.kill()
        server.start()
        self.decide(server, question, "approve", 422)
        self.decide(server, question, "respond", message="green")
        server.api.wait(task, "completed")
        self.assertEqual(self.told("ask one"), "green")

    def test_only_what_is_offered(self):
        server, task, question = self.asking("ask three")
        refused = self.decide(server, question, "respond", 422, message="blue").json
        self.assertIn('one of the choices: "red", "green"', refused["detail"])
        told = run("answer", question["id"], "blue", "--data-dir", server.data)
        self.assertEqual(told.returncode, 1, told)
        self.assertIn('one of the choices: "red", "green"', told.stderr)
        self.assertEqual(run("answer", question["id"], "red", "--data-dir", server.data).returncode, 0)
        server.api.wait(task, "completed")
        self.assertEqual(self.told("ask three"), "red")

    def test_the_name_of_a_decision_is_no_answer_by_accident(self):
        for words, choices, say, told in (
                ("ask four", None, ("--value", '"dismiss"'), "dismiss"),
                ("ask five", ["approve", "dismiss"], ("dismiss",), "dismiss"),
                ("ask six", ["approve", "dismiss"], ("approve",), "approve")):
            self.rules(("ask_person", {"question": f"Now, {words}?", **({"choices": choices} if choices else {})}))
            server = self.server(agents={"orders": agent(tools=["*", "ask_person"])})
            _, task = self.begin(words, server)
            question = self.asked(server, task, "question")
            for word in ("happened", "reject", *(() if choices else ("approve", "dismiss"))):
                refused = run("answer", question["id"], word, "--data-dir", server.data)
                self.assertEqual(refused.returncode, 1, refused)
                self.assertIn(f"cannot be answered by '{word}'", refused.stderr)
                self.assertIn("perdure reject", refused.stderr)
                self.assertIn(f"""--value '"{word}"'""", refused.stderr)
            self.assertEqual(server.api.task(task)["status"], "input_required")
            self.assertEqual(run("answer", question["id"], *say, "--data-dir", server.data).returncode, 0)
            server.api.wait(task, "completed")
            self.assertEqual(self.told(words), told)

    def test_the_name_of_a_decision_is_no_result_of_a_call(self):
        config = self.config()
        config["tools"]["pay"]["approval"] = "always"
        self.rules(("pay", {"order": "ask seven"}))
        server, task = self.begin("ask seven", self.server(config))
        question = self.asked(server, task, "tool_approval")
        refused = run("answer", question["id"], "approve", "--data-dir", server.data)
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn("perdure approve", refused.stderr)
        self.assertEqual(run("approve", question["id"], "--data-dir", server.data).returncode, 0)
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay", "ask seven")), 1)

    def test_nobody_wants_to_answer(self):
        server, task, question = self.asking("ask two")
        self.decide(server, question, "reject", message="not my business")
        server.api.wait(task, "completed")
        self.assertIn("Go on without an answer", self.told("ask two"))
        self.assertIn("not my business", self.told("ask two"))


if __name__ == "__main__":
    unittest.main()
