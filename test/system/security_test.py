"""Who may do what, where requests may go, and where secrets may not be seen."""
import base64
import json
import os
import socket
import unittest
import urllib.parse

import answers
from api import raw
from case import SystemTest, model, tool
from server import ROOT

TOKENS = {"ann": {"token": "env:ANN", "scopes": ["run"]}, "bob": {"token": "env:BOB", "scopes": ["approve"]},
          "pam": {"token": "env:PAM", "scopes": ["plan"]}, "root": {"token": "env:ROOT", "scopes": ["admin"]},
          "eve": {"token": "env:EVE", "scopes": ["run", "approve", "plan"], "tenant": "other"}}
VALUES = {name.upper(): f"token-of-{name}-0123456789abcdef" for name in TOKENS}


class Access(SystemTest):
    def setUp(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0), answers.says("Done.", round=1),
                         answers.replies("/pay", 1))
        config = self.config(tokens=TOKENS)
        config["tools"]["pay"]["approval"] = "always"
        config["agents"] = {"manual": {"planner": "manual"}}
        self.served = self.server(config, env=VALUES)
        self.api = self.served.api

    def as_(self, name):
        return {"token": VALUES[name.upper()]}

    def test_every_route_wants_a_credential(self):
        described = json.loads((ROOT / "api" / "openapi.json").read_text("utf-8"))
        count, public = 0, set()
        for path, item in described["paths"].items():
            for method in item.keys() & {"get", "post"}:
                if item[method].get("security") == []:
                    public.add(path)
                    continue
                target = path.replace("{id}", "task_01hf7yat000000000000000000").replace("{name}", "manual")
                body = {} if method == "post" else None
                for token in (None, "", "x", self.served.token[:-1], self.served.token + "x"):
                    reply = self.api.call(method.upper(), target, body, token=token)
                    self.assertEqual((reply.status, reply.json["code"]), (401, "unauthenticated"), target)
                    self.assertIn("www-authenticate", reply.headers)
                count += 1
        self.assertGreater(count, 12)
        self.assertEqual(public, {"/", "/console/{file}", "/healthz", "/readyz"})
        self.assertEqual(self.api.get("/healthz", token=None).status, 200)
        self.assertEqual(self.api.get("/readyz", token=None).status, 200)
        self.assertEqual(self.api.get("/v1/tasks").json["tasks"], [])

    def test_scopes(self):
        task = self.api.submit("orders", "scoped")
        self.api.wait(task, "input_required")
        question = self.only(self.api.inbox(task))["id"]
        new = {"agent": "orders", "input": 1}
        refused = [("bob", "POST", "/v1/tasks", new), ("pam", "POST", "/v1/tasks", new),
                   ("root", "POST", "/v1/tasks", new), ("pam", "GET", f"/v1/tasks/{task}", None),
                   ("root", "GET", "/v1/interrupts", None),
                   ("ann", "POST", f"/v1/interrupts/{question}/resolve", {"decision": "approve"}),
                   ("pam", "POST", f"/v1/interrupts/{question}/resolve", {"decision": "approve"}),
                   ("bob", "POST", f"/v1/tasks/{task}/cancel", {}),
                   ("ann", "POST", "/v1/planners/manual/poll", {"version": "1", "wait_s": 0}),
                   ("ann", "GET", "/metrics", None), ("bob", "GET", "/metrics", None)]
        for name, method, path, body in refused:
            with self.subTest(f"{name} {method} {path}"):
                reply = self.api.call(method, path, body, **self.as_(name))
                self.assertEqual((reply.status, reply.json["code"]), (403, "missing_scope"), reply)
        self.assertEqual(self.received("/pay"), [])
        self.assertEqual(self.api.get("/metrics", **self.as_("root")).status, 200)
        self.assertEqual(self.api.get(f"/v1/tasks/{task}", **self.as_("bob")).status, 200)
        done = self.api.post(f"/v1/interrupts/{question}/resolve", {"decision": "approve"}, **self.as_("bob"))
        self.assertEqual(done.status, 200)
        self.api.wait(task, "completed")
        decided = [r for r in self.api.journal(task) if r["type"] == "interrupt_resolved"]
        self.assertEqual(self.only(decided)["by"], "bob")

    def test_another_tenant_sees_nothing(self):
        task = self.api.submit("orders", "private", key="shared key")
        self.api.wait(task, "input_required")
        question = self.only(self.api.inbox(task))["id"]
        eve = self.as_("eve")
        asks = [("GET", f"/v1/tasks/{task}", None), ("GET", f"/v1/tasks/{task}?wait=1", None),
                ("GET", f"/v1/tasks/{task}/events", None), ("GET", f"/v1/tasks/{task}/journal", None),
                ("GET", f"/v1/tasks/{task}/state", None), ("POST", f"/v1/tasks/{task}/cancel", {}),
                ("POST", f"/v1/tasks/{task}/ack", {}), ("GET", f"/v1/interrupts/{question}", None),
                ("POST", f"/v1/interrupts/{question}/resolve", {"decision": "approve"})]
        for method, path, body in asks:
            with self.subTest(path):
                reply = self.api.call(method, path, body, **eve)
                self.assertEqual((reply.status, reply.json["code"]), (404, "not_found"), reply)
        self.assertEqual(self.api.get("/v1/tasks", **eve).json["tasks"], [])
        self.assertEqual(self.api.get("/v1/interrupts", **eve).json["interrupts"], [])
        own = self.api.post("/v1/tasks", {"agent": "orders", "input": "other"}, **eve,
                            headers={"Idempotency-Key": '"shared key"'})
        self.assertEqual(own.status, 202, "a key is its tenant's")
        self.assertNotEqual(own.json["id"], task)
        theirs = self.api.submit("manual", 1)
        poll = self.api.post("/v1/planners/manual/poll", {"version": "1", "wait_s": 0}, **eve)
        self.assertEqual(poll.status, 204, "plans are not handed to another tenant")
        turn = {"task": theirs, "turn": 1, "upto_seq": 1, "planner_version": "1", "actions": []}
        self.assertEqual(self.api.post("/v1/planners/manual/turns", turn, **eve).status, 404)

    def test_names_of_other_sites(self):
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
            reply = raw(self.api.address, (f"GET /v1/tasks HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer "
                                           f"{self.served.token}\r\nConnection: close\r\n\r\n").encode())
            self.assertRegex(reply.split(b"\r\n")[0].decode(), " (421|400) ", host)
        for origin in ("https://evil.example", "null", "http://localhost", self.served.url + "0"):
            reply = self.api.get("/v1/tasks", headers={"Origin": origin})
            self.assertEqual((reply.status, reply.json["code"]), (403, "unknown_origin"), origin)
            self.assertNotIn("access-control-allow-origin", reply.headers)

    def test_a_form_of_a_web_page_is_refused(self):
        body = json.dumps({"agent": "orders", "input": 1}).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", None):
            reply = self.api.call("POST", "/v1/tasks", body, headers={"Content-Type": kind})
            self.assertEqual((reply.status, reply.json["code"]), (415, "unsupported_media_type"), kind)
        self.assertEqual(self.api.get("/v1/tasks").json["tasks"], [])

    def test_files_are_private(self):
        for path, mode in ((self.served.data, 0o700), (self.served.data / "token", 0o600),
                           (self.served.data / "address", 0o600)):
            self.assertEqual(os.stat(path).st_mode & 0o777, mode, path)
        for path, _, files in os.walk(self.served.data):
            for name in files:
                self.assertEqual(os.stat(os.path.join(path, name)).st_mode & 0o077, 0, name)
        self.served.kill()
        (self.served.data / "token").chmod(0o644)
        with self.assertRaisesRegex(AssertionError, "can be read by others"):
            self.served.start()
        (self.served.data / "token").chmod(0o600)
        self.served.data.chmod(0o755)
        with self.assertRaisesRegex(AssertionError, "open to other users"):
            self.served.start()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Egress(SystemTest):
    def run_tool(self, server, words, *statuses):
        task = server.api.submit("orders", words)
        return server.api.wait(task, *statuses), [e["type"] for e in server.api.events(task)]

    def tools_with(self, url, **more):
        return {"look": tool(self.world, "/look"),
                "call": {**tool(self.world, "", "once"), **more, "http": {"method": "POST", "url": url}}}

    def test_our_own_listener(self):
        port = free_port()
        self.world.rules(answers.calls(("c", "call", {"agent": "orders", "input": "again"}), round=0),
                         answers.says("Could not.", round=1))
        for host in ("127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433"):
            with self.subTest(host):
                config = self.config(tools=self.tools_with(f"http://{host}:{port}/v1/tasks"))
                server = self.server(config, start=False)
                server.listen = f"127.0.0.1:{port}"
                server.start()
                before = self.requests_seen(server)
                task = server.api.submit("orders", "call me")
                server.api.wait(task, "completed", "failed")
                self.assertNotIn("tool.succeeded", [e["type"] for e in server.api.events(task)])
                self.assertEqual(len(server.api.get("/v1/tasks").json["tasks"]), 1)
                settled = [r for r in server.api.journal(task)
                           if r["type"] == "step_settled" and r["step"].startswith("t")]
                self.assertTrue(settled)
                self.assertEqual({r["outcome"] for r in settled}, {"not_sent"})
                self.assertGreater(self.requests_seen(server), before)
                server.kill()

    def requests_seen(self, server):
        lines = server.api.get("/metrics").body.decode().splitlines()
        return float(next(l for l in lines if l.startswith("perdure_http_requests_total ")).split()[1])

    def test_private_addresses(self):
        self.world.rules(answers.calls(("c", "call", {"private": 1}), round=0), answers.says("No.", round=1))
        config = self.config(tools=self.tools_with(self.world.url + "/private", allow_private=False))
        server = self.server(config)
        _, names = self.run_tool(server, "private", "completed")
        self.assertEqual(self.received("/private"), [])
        self.assertIn("tool.not_sent", names)
        self.assertIn("tool.failed", names)

    def test_a_model_on_a_private_address(self):
        config = self.config(models={"main": model(self.world, allow_private=False,
                                                   retry={"max_attempts": 1})})
        server = self.server(config)
        seen, _ = self.run_tool(server, "private model", "failed")
        self.assertIn("private", seen["error"]["message"])
        self.assertEqual(self.model_bodies("private model"), [])

    def test_redirects(self):
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status):
                there = {"Location": self.world.url + "/elsewhere"}
                self.world.rules(answers.calls(("c", "pay", {"status": status}), round=0),
                                 answers.says("Done.", round=1), answers.replies("/pay", {}, status, there))
                server = self.server()
                task = server.api.submit("orders", "redirect")
                server.api.wait(task, "input_required")
                question = self.only(server.api.inbox(task))
                self.assertEqual(question["reason"], "uncertain_outcome")
                server.kill()
        self.assertEqual(self.received("/elsewhere"), [])
        self.world.rules({"path": answers.MODEL_PATH, "steps": [
            ["head", 307, {"Location": self.world.url + "/elsewhere"}], ["end"]]})
        server = self.server()
        seen, _ = self.run_tool(server, "model redirect", "failed")
        self.assertIn("redirects are not followed", seen["error"]["message"])
        self.assertEqual(self.received("/elsewhere"), [])

    def test_arguments_do_not_change_where(self):
        config = self.config()
        config["tools"]["call"] = tool(self.world, "/orders/{id}")
        server = self.server(config)
        for evil in ("../../etc", "a/b?c=d#e", "@evil.example/", "a\r\nX-Evil: 1", "é%2e%2e"):
            with self.subTest(evil):
                self.world.rules(answers.calls(("c", "call", {"id": evil}), round=0),
                                 answers.says("Done.", round=1))
                seen = len(self.world.requests())
                self.run_tool(server, "arguments " + evil, "completed")
                paths = [r["path"] for r in self.world.requests()[seen:] if r["path"] != answers.MODEL_PATH]
                for path in paths:
                    self.assertEqual(urllib.parse.unquote(path.removeprefix("/orders/")), evil)
                    self.assertEqual(path.count("/"), 2)
        self.assertFalse(any("x-evil" in request["headers"] for request in self.world.requests()))


class SecretValues(SystemTest):
    SECRET = 'S3cr3t/+"quoted"~value=0123'
    KEY = "sk-live-model-key-0123456789"

    def forms(self, value):
        raw_bytes = value.encode()
        return {"plain": value, "base64": base64.b64encode(raw_bytes).decode(),
                "in a basic credential": base64.b64encode(b"user:" + raw_bytes).decode().rstrip("=")[8:-2],
                "hex": raw_bytes.hex(), "percent": urllib.parse.quote(value, safe=""),
                "json": json.dumps(value)[1:-1], "json twice": json.dumps(json.dumps(value))[3:-3]}

    def test_a_receiver_that_tells_all(self):
        echo = "\n".join(f"{name}: {text}" for name, text in self.forms(self.SECRET).items()
                         if "credential" not in name)
        full = echo + "\nbasic: " + base64.b64encode(b"user:" + self.SECRET.encode()).decode()
        self.world.rules(
            answers.calls(("c1", "pay", {"order": 1}), ("c2", "look", {}), round=0),
            answers.says("It said " + self.SECRET, round=1),
            {"path": "/pay", "steps": [["head", 200, {"Content-Type": "text/plain"}], ["body", full], ["end"]]},
            {"path": "/look", "steps": [["head", 422, {}], ["body", full], ["end"]]})
        config = self.config(secrets={"pay_key": "env:PAY_KEY"},
                             models={"main": model(self.world, key="env:MODEL_KEY")})
        for name in ("pay", "look"):
            config["tools"][name]["http"]["headers"] = {"X-Credential": "{{secret:pay_key}}"}
        server = self.server(config, env={"PAY_KEY": self.SECRET, "MODEL_KEY": self.KEY})
        task = server.api.submit("orders", "tell all")
        server.api.wait(task, "completed")
        self.assertEqual(self.only(self.received("/pay"))["headers"]["x-credential"], self.SECRET)
        asked = self.received(answers.MODEL_PATH, "tell all")
        self.assertEqual({r["headers"]["authorization"] for r in asked}, {"Bearer " + self.KEY})
        self.assertIn("{{secret:pay_key}}", self.model_bodies("tell all")[-1])
        self.look_everywhere(server, task, self.SECRET)
        self.look_everywhere(server, task, self.KEY)

    def test_a_model_that_repeats_its_key(self):
        self.world.rules({"path": answers.MODEL_PATH, "steps": [
            ["head", 401, {"Content-Type": "application/json"}],
            ["body", json.dumps({"error": {"message": "Incorrect API key provided: " + self.KEY}})], ["end"]]})
        config = self.config(models={"main": model(self.world, key="env:MODEL_KEY")})
        server = self.server(config, env={"MODEL_KEY": self.KEY})
        task = server.api.submit("orders", "wrong key")
        server.api.wait(task, "input_required")
        self.assertIn("Incorrect API key provided", self.only(server.api.inbox(task))["message"])
        self.look_everywhere(server, task, self.KEY)

    def look_everywhere(self, server, task, secret):
        said = {"task": server.api.get("/v1/tasks/" + task).body,
                "journal": json.dumps(server.api.journal(task)).encode(),
                "events": json.dumps(server.api.events(task)).encode(),
                "metrics": server.api.get("/metrics").body, "log": server.log_text().encode(),
                "what the model read": "".join(self.model_bodies()).encode()}
        for folder, _, files in os.walk(server.data):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    said[name] = file.read()
        self.assertGreater(len(said), 8)
        for form, text in self.forms(secret).items():
            for place, content in said.items():
                self.assertNotIn(text.encode(), content, f"{form} stands in {place}")


if __name__ == "__main__":
    unittest.main()
