"""What is wrong in files and requests is refused with words that help, and nothing else suffers."""
import json
import socket
import unittest

import answers
from api import raw
from case import SystemTest, agent, model, tool
from server import run


class Files(SystemTest):
    def refused(self, config=None, agents=None, text=None):
        """What the server says when it refuses to start."""
        server = self.server(config, agents, start=False)
        if text is not None:
            (server.folder / "perdure.toml").write_bytes(text)
        done = run("serve", "--config", server.folder / "perdure.toml", "--data-dir", server.data,
                   "--listen", "127.0.0.1:0")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertTrue(done.stderr.startswith("perdure: "), done.stderr)
        self.assertLess(len(done.stderr), 1000)
        return done.stderr

    def with_(self, table, name, **members):
        config = self.config()
        config.setdefault(table, {}).setdefault(name, {}).update(members)
        return config

    def headed(self, allow_private=True, **headers):
        http = {"url": "http://far.test/pay", "headers": headers}
        pay = {**tool(self.world, "/pay", "once"), "http": http, "allow_private": allow_private}
        return self.config(tools={"pay": pay}, secrets={"key": "env:PATH"})

    def test_the_operators_file(self):
        world = self.world
        pay = tool(world, "/pay", "once")
        cases = [
            (self.config(servr={"listen": "x"}), "servr", "server"),
            (self.config(server={"lisen": "x"}), "lisen", "listen"),
            (self.config(server={"listen": "here"}), "here", "address:port"),
            (self.config(server={"drain": "ten"}), "server.drain", "duration"),
            (self.config(sandbox={"at_onc": 2}), "at_onc", "at_once"),
            (self.config(sandbox={"memory_mib": 0}), "sandbox.memory_mib", "outside"),
            (self.with_("models", "main", modle="m"), "modle", "model"),
            (self.with_("models", "main", provider="open-ai"), "models.main.provider", "openai-chat"),
            (self.with_("models", "main", model=5), "models.main.model", "string"),
            (self.with_("models", "main", base_url="ftp://x"), "models.main.base_url", "https://"),
            (self.with_("models", "main", key="sk-plain-key-itself"), "models.main.key", "env:NAME"),
            (self.with_("models", "main", extra={"stream": False}), "models.main.extra", "stream"),
            (self.with_("tools", "pay", effect="onec"), "tools.pay.effect", "once"),
            (self.with_("tools", "pay", efect="once"), "efect", "effect"),
            (self.with_("tools", "pay", approval="sometimes"), "tools.pay.approval", "always"),
            (self.with_("tools", "ship", horizon="soon"), "tools.ship.horizon", "duration"),
            (self.with_("tools", "ship", horizon="1s"), "tools.ship.horizon", "margin"),
            (self.with_("tools", "look", horizon="1h"), "tools.look.horizon", "idempotent"),
            (self.with_("tools", "pay", http={"method": "POST", "ulr": world.url}), "ulr", "url"),
            (self.with_("tools", "pay", http={"method": "POST"}), "tools.pay.http", "url"),
            (self.with_("tools", "pay", http={"method": "FETCH", "url": world.url}), "tools.pay.method", "not one"),
            (self.with_("tools", "pay", http={"method": "POST", "url": "http://{host}/x"}), "tools.pay.url", ""),
            (self.with_("tools", "pay", input_schema="nowhere.json"), "nowhere.json", "cannot read"),
            (self.with_("tools", "pay", input_schema="/nowhere/x.json"), "cannot read /nowhere/x.json", ""),
            (self.with_("tools", "pay", input_schema={"properties": {"usd": {"type": "nubmer"}}}),
             "tools.pay.input_schema/properties/usd/type", "number"),
            (self.with_("tools", "pay", input_schema={"properties": {"to": {"pattern": "(?=a)"}}}),
             "tools.pay.input_schema/properties/to/pattern", "look-ahead"),
            (self.with_("tools", "pay", input_schema={"$ref": "https://example.com/s.json"}),
             "tools.pay.input_schema/$ref", "none is fetched"),
            (self.config(tools={"wait": pay}), "tools.wait", "every agent"),
            (self.with_("tools", "pay", identity=["order"]), "tools.pay.identity", "JSON Pointer"),
            (self.config(tools={"pay": {k: v for k, v in pay.items() if k != "irreversible"}}),
             "tools.pay.irreversible", "missing"),
            (self.config(tokens={"ann": {"token": "env:NOT_SET_AT_ALL", "scopes": ["run"]}}), "NOT_SET_AT_ALL", ""),
            (self.config(tokens={"ann": {"token": "env:PATH", "scopes": ["rnu"]}}), "rnu", "run"),
            (self.config(tokens={"ann": {"token": "env:PATH", "scopes": []}}), "tokens.ann", "scopes"),
            (self.config(secrets={"key": "the secret itself"}), "secrets.key", ""),
            (self.headed(A="{{secret:kye}}"), "tools.pay.http.headers.A", "'kye' is not configured"),
            (self.headed(Host="x"), "tools.pay.http.headers.Host", "the transport's own"),
            (self.headed(**{"A b": "a"}), "tools.pay.http.headers.A b", "not a token"),
            (self.headed(A="{{secret:key}}", allow_private=False), "tools.pay.http.headers.A", "over https only"),
            (self.config(mcp={"far": {"url": "http://far.test/mcp", "headers": {"A": "{{secret:key}}"}},
                              }, secrets={"key": "env:PATH"}), "mcp.far.headers.A", "over https only"),
            (self.config(mcp={"near": {"command": ["x"], "env": {"K": "{{secret:key}}"}}}), "mcp.near.env.K", "not"),
            (self.config(agents={"x": {"planner": "agent"}}), "agents.x.planner", "agent file"),
            (self.config(agents={"x": {"planer": "script"}}), "planer", "planner"),
            (self.config(agents={"x": "nowhere.toml"}), "nowhere.toml", "cannot read"),
        ]
        for config, place, advice in cases:
            with self.subTest(place + " " + advice):
                said = self.refused(config)
                self.assertIn(place, said)
                self.assertIn(advice, said)
                self.assertNotIn("sk-plain", said)
                self.assertNotIn("the secret itself", said)

    def test_the_agent_file(self):
        cases = [(agent(modle="main", model="main"), "modle", "model"), (agent(model="mian"), "mian", "main"),
                 (agent(tools=["lok"]), "lok", "look"), (agent(tools=5), "tools", "array"),
                 (agent(limits={"turn": 1}), "turn", "turns"), (agent(limits={"turns": 0}), "turns", ""),
                 (agent(approval={"pya": "always"}), "pya", "pay"), (agent(name="other"), "other", "orders"),
                 (agent(max_output_tokens="many"), "max_output_tokens", ""),
                 (agent(tools=["wiat"]), "wiat", "wait"), (agent(max_inline=10), "max_inline", "256"),
                 (agent(failover={"refusals": True}), "refusals", "refusal"),
                 (agent(output_schema="nowhere.json"), "nowhere.json", "cannot read"),
                 (agent(output_schema=7), "agent.output_schema", "JSON Schema"),
                 (agent(output_schema={"type": "objcet"}), "agent.output_schema/type", "object")]
        for file, place, advice in cases:
            with self.subTest(place):
                said = self.refused(agents={"orders": file})
                self.assertIn(place, said)
                self.assertIn(advice, said)

    def test_files_that_are_no_toml(self):
        for text, said in ((b"[models\n", "perdure.toml:1:"), (b"a = 1\na = 2\n", "perdure.toml:2:"),
                           (b"\xff\xfe\x00", "perdure.toml"), (b"x = " + b"[" * 100_000, "perdure.toml")):
            with self.subTest(text[:10]):
                self.assertIn(said, self.refused(text=text))
        done = run("serve", "--config", "/nowhere/perdure.toml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/perdure.toml", done.stderr)

    def test_the_port_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            server = self.server(start=False)
            server.listen = "127.0.0.1:%d" % taken.getsockname()[1]
            with self.assertRaisesRegex(AssertionError, r"exit 75\).*(in use|listen)"):
                server.start()
            server.listen = "127.0.0.1:0"
            server.start()


class Requests(SystemTest):
    def setUp(self):
        self.world.rules(answers.says("Fine."))
        self.served = self.server(self.config(agents={"manual": {"planner": "manual"}}))
        self.api = self.served.api

    def tearDown(self):
        task = self.api.submit("orders", "still there?")
        self.api.wait(task, "completed")

    def refused(self, body, status, *said, path="/v1/tasks"):
        reply = self.api.call("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(),
                              headers={"Content-Type": "application/json"})
        self.assertEqual(reply.status, status, (body[:80] if isinstance(body, bytes) else body, reply))
        self.assertEqual(reply.headers["content-type"], "application/problem+json")
        self.assertEqual(reply.json["status"], status)
        for word in said:
            self.assertIn(word, reply.json["detail"])
        self.assertLess(len(reply.body), 2000)
        return reply

    def test_members(self):
        for body, said in (({"agnet": "orders", "input": 1}, "agnet"), ({"agent": "orders"}, "input"),
                           ({"agent": "ordes", "input": 1}, "did you mean 'orders'"),
                           ({"agent": 5, "input": 1}, "agent"), ({"agent": "orders", "input": 1, "metadata": 1}, "metadata"),
                           ({"agent": "orders", "input": 1, "budget": {"cost": 1}}, "budget.cost: unknown"),
                           ([], ""), ("text", ""), (None, ""), (5, "")):
            with self.subTest(str(body)):
                self.refused(body, 422, said)
        self.refused({"agent": "orders", "input": 1, "metadata": {"x": "y" * 20_000}}, 413, "metadata")
        self.assertEqual(self.api.get("/v1/tasks").json["tasks"], [])

    def test_texts_that_are_no_json(self):
        start = b'{"agent":"orders","input":'
        for body in (b"", b"{", b"nope", start + b"1", start + b'"\xff"}', start + b'"\xed\xa0\x80"}',
                     start + b'1,"input":2}', start + b"1} trailing", start + b"01}", start + b"NaN}",
                     start + b'"\\ud800"}', start + b"1e999}", start + b"'x'}", b"\xef\xbb\xbf{}", b"\x00",
                     start + b'{"a":1,"a":2}}', start + b'"tab\tinside"}'):
            with self.subTest(body[:60]):
                self.refused(body, 422 if body == b"" else 400)
        self.assertEqual(self.api.get("/v1/tasks").json["tasks"], [])

    def test_deep_and_huge(self):
        start = b'{"agent":"orders","input":'
        self.refused(start + b"[" * 1_000_000, 400, "deep")
        self.refused(start + b'{"a":' * 300_000, 400, "deep")
        self.refused(start + b'"' + b"x" * (6 << 20) + b'"}', 413)
        reply = raw(self.api.address, b"POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                    b"99999999999\r\nAuthorization: Bearer " + self.served.token.encode() + b"\r\n\r\n{")
        self.assertIn(b" 413 ", reply.split(b"\r\n")[0])
        large = self.api.submit("orders", "x" * (2 << 20))
        self.api.wait(large, "completed")
        self.refused(b"[" * 1_000_000, 400, path="/v1/planners/manual/turns")
        self.refused(b"[" * 1_000_000, 400, path="/v1/interrupts/int_x/resolve")

    def test_paths_and_queries(self):
        for path, status in (("/v1/tasks/nope", 404), ("/v1/tasks/%00", 404), ("/v1/tasks/../x", 404), ("/v2", 404),
                             ("/v1/tasks?stauts=working", 422), ("/v1/tasks?limit=0", 422),
                             ("/v1/tasks?limit=99999999999999999999", 422), ("/v1/tasks?cursor=x", 422),
                             ("/v1/tasks?limit=1&limit=2", 422), ("/v1/interrupts?limit=x", 422), ("//", 404)):
            with self.subTest(path):
                self.assertEqual(self.api.get(path).status, status)
        self.assertEqual(self.api.call("DELETE", "/v1/tasks").status, 405)
        task = self.api.submit("orders", 1)
        for path in ("journal?after=-1", "events?limit=1001", "state?at=0", "state?at=9999", "journal?normalised=maybe"):
            self.assertIn(self.api.get(f"/v1/tasks/{task}/{path}").status, (422, 404), path)
        stream = self.api.get(f"/v1/tasks/{task}/events", headers={"Last-Event-ID": "x", "Accept": "text/event-stream"})
        self.assertEqual((stream.status, stream.json["code"]), (400, "invalid_event_id"))

    def test_bytes_that_are_no_http(self):
        for data in (b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
                     b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
                     b"POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            with self.subTest(data[:40]):
                answer = raw(self.api.address, data, seconds=2)
                if answer:
                    self.assertRegex(answer.split(b"\r\n")[0], rb"^HTTP/1\.[01] [45]\d\d ")


if __name__ == "__main__":
    unittest.main()
