"""Questions of MCP servers to people: whose they are, and what becomes of them."""
import unittest

import answers
import mcp_test
from mcp_test import McpTest, until


class Questions(McpTest):
    program = mcp_test.HERE / "asking_server.py"
    once = ("ask", "late", "wait", "go_on", "change_mind")

    def begin(self, server, tool, words):
        self.world.rules(answers.calls(("c", "shop__" + tool, {}), round=0), answers.says("Done.", round=1))
        return server.api.submit("orders", words)

    def question(self, server, tool, words):
        task = self.begin(server, tool, words)
        server.api.wait(task, "input_required")
        question = self.only(server.api.inbox(task))
        self.assertEqual(question["reason"], "question")
        return task, question

    def respond(self, server, question, ok=True):
        return server.api.post(f"/v1/interrupts/{question['id']}/resolve",
                               {"decision": "respond", "value": {"ok": ok}})

    def answered(self, server, words):
        """A question that is asked and answered as it should be."""
        task, question = self.question(server, "ask", words)
        self.assertEqual(self.respond(server, question).status, 200)
        server.api.wait(task, "completed")
        self.assertIn("accept", self.told(words))

    def touch(self, name):
        (self.folder / name).write_text("")

    def test_what_was_given_up_asks_nobody_else(self):
        server = self.serve({"timeouts": {"call": "1500ms"}})
        ann = self.begin(server, "late", "for ann")
        server.api.wait(ann, "input_required")
        self.assertEqual(self.only(server.api.inbox(ann))["reason"], "uncertain_outcome")
        bob = self.begin(server, "wait", "for bob")
        until(lambda: self.calls("wait"), "the call for bob")
        self.touch("late")
        late = self.only(until(lambda: self.noted("late.jsonl"), "what the late question comes to"))
        self.assertIn("given up", late)
        self.assertEqual(server.api.inbox(bob), [])
        self.touch("go")
        server.api.wait(bob, "completed")
        self.assertIn("done", self.told("for bob"))
        until(lambda: len(self.noted("starts.jsonl")) == 2, "another server, where nothing of ann's runs")
        self.answered(server, "for carol")

    def test_of_two_calls_neither_is_guessed(self):
        server = self.serve()
        other = self.begin(server, "wait", "another")
        until(lambda: self.calls("wait"), "the other call")
        task = self.begin(server, "ask", "it asks")
        server.api.wait(task, "completed")
        self.assertIn("nothing says which of them asks", self.told("it asks"))
        self.assertNotIn("decline", self.told("it asks"), "nobody has said no")
        self.assertEqual(server.api.inbox(other), [])
        self.assertIn("mcp.not_asked", server.log_text())
        self.touch("go")
        server.api.wait(other, "completed")
        self.answered(server, "alone again")

    def test_a_question_that_is_withdrawn(self):
        server = self.serve()
        task, first = self.question(server, "change_mind", "it changes its mind")
        self.assertIn("One?", first["message"])
        self.touch("withdraw")
        until(lambda: [q for q in server.api.inbox(task) if q["id"] != first["id"]], "the second question")
        second = self.only(server.api.inbox(task))
        self.assertIn("Two?", second["message"])
        self.assertEqual(self.respond(server, first).status, 409, "nobody would hear it")
        self.assertEqual(self.respond(server, second, ok=False).status, 200)
        server.api.wait(task, "completed")
        self.assertIn('false', self.told("it changes its mind"))
        answer = self.only(self.noted("answers.jsonl"))
        self.assertEqual(answer["result"], {"action": "accept", "content": {"ok": False}})

    def test_questions_end_with_their_calls(self):
        server = self.serve()
        for n in range(17):
            task = self.begin(server, "go_on", f"goes on {n}")
            server.api.wait(task, "completed")
            self.assertEqual(server.api.inbox(task), [])
        self.answered(server, "one more")


if __name__ == "__main__":
    unittest.main()
