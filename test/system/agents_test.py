"""What an agent file asks for, seen from outside: what the model is sent, what the client gets."""
import json
import unittest

import answers
from case import SystemTest, tool

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
        self.assertEqual([json.loads(request["body"]) for request in self.received("/pay")], [{"order": 42}])
        wrong, paid = self.told(self.model_bodies()[-1])
        for words in ("/order: expected a whole number, found the string \"42\"",
                      "/usd: expected no member of this name"):
            self.assertIn(words, wrong)
        self.assertEqual(json.loads(paid), {"paid": True})


if __name__ == "__main__":
    unittest.main()
