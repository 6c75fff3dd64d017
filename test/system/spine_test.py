"""An agent's task from submission to its end, over HTTP, with a model that streams."""
import json
import unittest

import answers
from case import SystemTest
from conversation import check_conversation, check_prefixes

PROVIDERS = {  # recorded streams with one call, and with text
    "groq": ("groq/groq-tool-call", "xai/xai-text"),
    "deepseek": ("deepseek/deepseek-tool-call", "deepseek/deepseek-reasoning"),
    "mistral": ("mistral/mistral-tool-call", "mistral/mistral-reasoning"),
    "mistral, in pieces": ("mistral/mistral-incremental-tool-call", "openai/azure-model-router.1"),
}


class Spine(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules_of_orders(cls)

    def rules_of_orders(self):
        self.world.rules(
            answers.calls(("c1", "look", {"order": 42}), ("c2", "ship", {"order": 42}), round=0),
            answers.calls(("c3", "pay", {"order": 42, "usd": 3}), round=1),
            answers.says("Order 42 is on its way.", round=2),
            answers.replies("/look", {"state": "open"}), answers.replies("/ship", {"shipped": True}),
            answers.replies("/pay", {"paid": 3}))

    def test_a_task_runs_to_its_end(self):
        server = self.server()
        reply = server.api.post("/v1/tasks", {"agent": "orders", "input": "order 42", "metadata": {"a": 1}})
        self.assertEqual(reply.status, 202, reply)
        task = reply.json["id"]
        self.assertEqual(reply.headers["location"], "/v1/tasks/" + task)
        ended = server.api.wait(task, "completed")
        self.assertEqual(ended["result"], {"text": "Order 42 is on its way."})
        self.assertEqual(ended["stop_reason"], "end_turn")
        self.assertEqual(ended["metadata"], {"a": 1})
        self.assertEqual(ended["usage"]["model_calls"], 3)
        self.assertEqual(ended["usage"]["tool_calls"], 3)
        self.assertEqual((ended["usage"]["input_tokens"], ended["usage"]["output_tokens"]), (300, 60))
        self.assertAlmostEqual(ended["usage"]["cost_usd"], (300 * 1.0 + 60 * 4.0) / 1e6)

        look, ship, pay = (self.only(self.received(path)) for path in ("/look", "/ship", "/pay"))
        self.assertEqual(json.loads(pay["body"]), {"order": 42, "usd": 3})
        keys = {request["headers"]["idempotency-key"] for request in (look, ship, pay)}
        self.assertEqual(len(keys), 3, "a key of its own for each call")
        epochs = {request["headers"]["perdure-epoch"] for request in (look, ship, pay)}
        self.assertEqual(len(epochs), 1)
        self.assertGreater(int(epochs.pop()), 0)

        bodies = self.model_bodies()
        self.assertEqual(len(bodies), 3)
        for body in bodies:
            self.assertEqual(check_conversation(self, body), {"look", "ship", "pay"})
        check_prefixes(self, bodies)
        told = [m["content"] for m in json.loads(bodies[-1])["messages"] if m["role"] == "tool"]
        self.assertEqual([json.loads(text) for text in told],
                         [{"state": "open"}, {"shipped": True}, {"paid": 3}])
        self.check_journal(server.api.journal(task))
        self.check_events(server, task)

    def check_journal(self, records):
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
        kinds = [record["type"] for record in records]
        self.assertEqual((kinds[0], kinds[-1]), ("task_created", "task_ended"))
        intended, settled = {}, {}
        for record in records:
            if record["type"] == "step_intended":
                intended[record["step"]] = record["seq"]
            if record["type"] == "step_settled":
                settled[record["step"]] = record["seq"]
        self.assertEqual(len(settled), 6)
        for step, seq in settled.items():
            self.assertLess(intended[step], seq)

    def check_events(self, server, task):
        stored = server.api.events(task)
        names = [event["type"] for event in stored]
        for name in ("task.created", "task.started", "model.requested", "model.answered",
                     "tool.intended", "tool.succeeded", "task.completed"):
            self.assertIn(name, names)
        streamed = [event for event in server.api.stream(task) if event.id is not None]
        self.assertEqual([event.id for event in streamed], [event["seq"] for event in stored])
        self.assertEqual([event.data for event in streamed], stored)
        for last in (stored[0]["seq"], stored[len(stored) // 2]["seq"]):
            rest = [event.id for event in server.api.stream(task, last)]
            self.assertEqual(rest, [event["seq"] for event in stored if event["seq"] > last])
        self.assertEqual(list(server.api.stream(task, stored[-1]["seq"])), [])

    def test_tokens_are_streamed_as_they_come(self):
        world = self.world
        steps = answers.stream(answers.text_chunks("Hello there"), "half", 2)
        world.rules({"path": answers.MODEL_PATH, "steps": [["hold", "begin"], *steps]})
        self.addCleanup(self.rules_of_orders)
        server = self.server()
        task = server.api.submit("orders", "say hello")
        world.wait_held("begin")
        text, ids = "", []
        for event in server.api.stream(task):
            if event.name == "model.delta":
                self.assertIsNone(event.id, "what may be withdrawn has no id")
                text += event.data["data"]["text"]
                if text == "Hello":
                    self.assertEqual(server.api.task(task)["status"], "working")
                    world.release("half")
            else:
                ids.append(event.id)
                if event.name == "model.requested":
                    world.release("begin")
        self.assertEqual(text, "Hello there")
        self.assertEqual(ids, [event["seq"] for event in server.api.events(task)])
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Hello there"})

    def test_recorded_streams_of_providers(self):
        if answers.fixture("groq/groq-tool-call") is None:
            print("not run: recorded streams of providers (PERDURE_FIXTURES is not set)")
            self.skipTest("PERDURE_FIXTURES is not set")
        config = self.config()
        server = self.server(config)
        self.addCleanup(self.rules_of_orders)
        for provider, (asks, talks) in PROVIDERS.items():
            with self.subTest(provider):
                asking, talking = answers.fixture(asks), answers.fixture(talks)
                rename_tool(asking, "look")
                self.world.rules(
                    {"path": answers.MODEL_PATH, "round": 0, "steps": answers.stream(asking)},
                    {"path": answers.MODEL_PATH, "round": 1, "steps": answers.stream(talking)},
                    answers.replies("/look", {"sunny": True}))
                task = server.api.submit("orders", "weather of " + provider)
                ended = server.api.wait(task, "completed", "failed")
                self.assertEqual(ended["status"], "completed", ended)
                self.assertEqual(ended["result"], {"text": text_of(talking)})
                bodies = self.model_bodies(json.dumps("weather of " + provider))
                self.assertEqual(len(bodies), 2)
                for body in bodies:
                    check_conversation(self, body)
                check_prefixes(self, bodies)
                sent = json.loads(bodies[1])["messages"][-2]["tool_calls"]
                self.assertEqual([call["function"]["arguments"] for call in sent], [arguments_of(asking)])


def deltas(chunks):
    return [choice["delta"] for c in chunks for choice in c.get("choices", []) if choice.get("delta")]


def rename_tool(chunks, name):
    for delta in deltas(chunks):
        for call in delta.get("tool_calls", []):
            if call["function"].get("name"):
                call["function"]["name"] = name


def text_of(chunks):
    """What is said, without what is only thought."""
    text = ""
    for delta in deltas(chunks):
        content = delta.get("content") or ""
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        text += "".join(part["text"] for part in parts if part["type"] == "text")
    return text


def arguments_of(chunks):
    return "".join(call["function"].get("arguments", "")
                   for delta in deltas(chunks) for call in delta.get("tool_calls", []))


if __name__ == "__main__":
    unittest.main()
