"""What the description says of nearly every operation, asked of every operation."""
import unittest

import answers
import described
from case import SystemTest
from described import DOCUMENT, METHODS

TOKENS = {"pam": {"token": "env:PAM", "scopes": ["plan"]}, "ann": {"token": "env:ANN", "scopes": ["run"]}}
VALUES = {"PAM": "token-of-pam-0123456789abcdef", "ANN": "token-of-ann-0123456789abcdef"}
MIB = 1 << 20


class EveryOperation(SystemTest):
    def setUp(self):
        self.world.rules(answers.says("Done."))
        config = self.config(tokens=TOKENS)
        config["agents"] = {"manual": {"planner": "manual"}}
        self.api = self.server(config, env=VALUES).api
        self.task = self.api.submit("orders", "any")
        self.api.wait(self.task, "completed")

    def operations(self, status):
        """Those of which this answer is documented: (method, path, target)."""
        for path, item in DOCUMENT["paths"].items():
            for method in item.keys() & set(METHODS):
                if str(status) in item[method]["responses"]:
                    yield method.upper(), path, self.target(path)

    def target(self, path):
        own = {"/v1/agents/{name}": "orders", "/v1/planners/{name}": "manual", "/v1/tasks/{id}": self.task}
        for beginning, name in own.items():
            if path.startswith(beginning):
                path = path.replace(beginning, beginning[:beginning.index("{")] + name)
        version = self.api.get("/v1/agents/orders").json["version"]
        return path.replace("{version}", version).replace("{file}", "main.js").replace("{id}", "none").replace(
            "{server}", "none")

    def body(self, method, path):
        return {} if "requestBody" in DOCUMENT["paths"][path][method.lower()] else None

    def expect(self, status, reply, what):
        with self.subTest(what):
            self.assertEqual(reply.status, status, reply)

    def test_without_a_credential(self):
        for method, path, target in self.operations(401):
            reply = self.api.call(method, target, self.body(method, path), token=None)
            self.expect(401, reply, f"{method} {path}")

    def test_with_too_little_of_one(self):
        for method, path, target in self.operations(403):
            token = VALUES["ANN"] if "planners" in path else VALUES["PAM"]
            reply = self.api.call(method, target, self.body(method, path), token=token)
            self.expect(403, reply, f"{method} {path}")

    def test_bodies(self):
        for method, path, target in self.operations(415):
            what = f"{method} {path}"
            self.expect(400, self.api.call(method, target, b"{"), what)
            large = (33 if path.endswith("/turns") else 5) * MIB
            self.expect(413, self.api.call(method, target, b" " * large), what)
            self.expect(415, self.api.call(method, target, {}, headers={"Content-Type": "text/plain"}), what)
            target = target.replace("agents/orders", "agents/new")
            if path != "/v1/interrupts/{id}/resolve":  # there is none to be resolved
                self.expect(422, self.api.call(method, target, {"nonsense": 1}), what)

    def test_parameters(self):
        for method, path, target in self.operations(422):
            if method == "GET" and "interrupts/{id}" not in path:
                self.expect(422, self.api.call(method, target + "?nonsense=1"), path)

    def test_what_there_is_not(self):
        for method, path, target in self.operations(404):
            target = target.replace(self.task, "task_01hf7yat000000000000000000").replace("orders", "nobody")
            target = target.replace("manual", "nobody").replace("main.js", "none.js")
            if method == "PUT":
                target = "/v1/agents/%zz"
            if path == "/v1/interrupts":
                target += "?task=nobody"
            body = self.body(method, path)
            body = {"decision": "approve"} if path.endswith("/resolve") else body
            body = {"version": "1", "wait_s": 0} if path.endswith("/poll") else body
            if not path.endswith("/turns"):
                self.expect(404, self.api.call(method, target, body), f"{method} {path}")

    def test_what_ends_well(self):
        self.assertEqual(self.api.get(f"/v1/tasks/{self.task}/state").status, 200)
        self.assertEqual(self.api.get("/v1/tools").status, 200)
        self.assertEqual(self.api.get("/").status, 200)
        last = self.api.events(self.task)[-1]["seq"]
        stream = self.api.get(f"/v1/tasks/{self.task}/events?after={last}",
                              headers={"Accept": "text/event-stream"})
        self.assertEqual(stream.status, 204)


class TheChecksThemselves(unittest.TestCase):
    def test_they_can_fail(self):
        class Reply:
            status, headers, body = 200, {"content-type": "application/json"}, b'{"status":"ok"}'
        self.assertEqual(described.against("GET", "/healthz", Reply), [])
        for change in ({"body": b'{"status":"well"}'}, {"body": b'{"status":"ok","more":1}'}, {"status": 201},
                       {"headers": {"content-type": "text/plain"}}):
            wrong = type("Wrong", (Reply,), change)
            self.assertNotEqual(described.against("GET", "/healthz", wrong), [], change)
        self.assertNotEqual(described.against("GET", "/v1/nothing", Reply), [])


if __name__ == "__main__":
    unittest.main()
