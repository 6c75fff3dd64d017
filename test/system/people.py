"""An agent whose calls and questions need people."""
import json

import answers
from case import SystemTest


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
