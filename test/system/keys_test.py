"""Keys that are made over the API: shown once, good at once, gone at once, and through any crash."""
import pathlib
import unittest

import answers
from case import SystemTest

TOKENS = {"root": {"token": "env:ROOT", "scopes": ["admin"], "tenant": "acme"},
          "ann": {"token": "env:ANN", "scopes": ["run", "approve", "agents", "plan"]}}
VALUES = {name.upper(): f"token-of-{name}-0123456789abcdef" for name in TOKENS}


class Keys(SystemTest):
    def setUp(self):
        self.world.rules(answers.says("Done."))

    def serve(self, **options):
        return self.server(self.config(tokens=TOKENS), env=dict(VALUES), **options)

    def make(self, server, name="ci", scopes=("run",), status=201, **options):
        token = options.pop("token", ...)
        reply = server.api.post("/v1/keys", {"name": name, "scopes": list(scopes), **options}, token=token)
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def status(self, server, key):
        return server.api.get("/v1/tasks", token=key).status

    def test_a_key_is_good_until_it_is_removed(self):
        server = self.serve()
        made = self.make(server, scopes=["run", "agents"])
        self.assertRegex(made["key"], "^perdure_[0-9a-z]{50,}$")
        self.assertEqual((made["tenant"], made["scopes"], made["expires_at"]), ("default", ["run", "agents"], None))
        self.assertEqual(self.status(server, made["key"]), 200, "at once")
        task = server.api.post("/v1/tasks", {"agent": "orders", "input": 1}, token=made["key"]).json["id"]
        server.api.wait(task, "completed")
        self.assertEqual(server.api.journal(task)[0]["principal"], "ci")
        shown = self.only(server.api.get("/v1/keys").json["keys"])
        self.assertEqual(shown, {k: v for k, v in made.items() if k != "key"}, "the secret is shown once")
        server.kill()
        server.start()
        self.assertEqual(self.status(server, made["key"]), 200, "after a restart")
        self.assertEqual(server.api.call("DELETE", "/v1/keys/" + made["id"]).status, 204)
        self.assertEqual(self.status(server, made["key"]), 401, "at once")
        self.assertEqual(server.api.call("DELETE", "/v1/keys/" + made["id"]).status, 404)
        server.kill()
        server.start()
        self.assertEqual(self.status(server, made["key"]), 401, "after a restart")
        self.make(server)
        for path in pathlib.Path(server.data).rglob("*"):
            if path.is_file():
                self.assertNotIn(made["key"].encode(), path.read_bytes(), "only its hash is kept")

    def test_it_expires(self):
        server = self.serve()
        self.make(server, status=422, expires_at="2020-01-01T00:00:00Z")
        self.make(server, status=422, expires_at="tomorrow")
        self.make(server, status=422, expires_at="")
        self.make(server, status=422, expires_at="2036-02-30T00:00:00Z")
        made = self.make(server, expires_at="2036-02-29T01:02:03.5Z")
        self.assertEqual(made["expires_at"], "2036-02-29T01:02:03.500Z")
        self.assertEqual(self.status(server, made["key"]), 200)

    def test_mistakes(self):
        server = self.serve()
        self.make(server, name="", status=422)
        self.make(server, scopes=[], status=422)
        self.make(server, scopes=["rule"], status=422)
        self.make(server, scope="run", status=422)
        self.make(server, name="operator", status=409)
        self.make(server, name="ann", status=409)
        self.make(server)
        self.make(server, status=409)

    def test_only_admin_makes_keys_and_only_for_its_tenant(self):
        server = self.serve()
        ann, root = VALUES["ANN"], VALUES["ROOT"]
        self.make(server, status=403, token=ann)
        self.assertEqual(server.api.get("/v1/keys", token=ann).status, 403)
        self.make(server, status=403, token=root, tenant="default")
        theirs = self.make(server, scopes=["admin"], token=root)
        ours = self.make(server)
        other = self.make(server, tenant="acme", name="other")
        self.assertEqual(theirs["tenant"], "acme")

        def names(token):
            return sorted(key["name"] for key in server.api.get("/v1/keys", token=token).json["keys"])
        self.assertEqual(names(root), ["ci", "other"])
        self.assertEqual(names(theirs["key"]), ["ci", "other"])
        self.assertEqual(names(...), ["ci", "ci", "other"])
        self.assertEqual(server.api.call("DELETE", "/v1/keys/" + ours["id"], token=root).status, 404)
        self.make(server, status=403, token=theirs["key"], tenant="default", name="more")
        self.assertEqual(server.api.call("DELETE", "/v1/keys/" + other["id"], token=theirs["key"]).status, 204)
        pages, cursor = [], ""
        while cursor is not None:
            page = server.api.get(f"/v1/keys?limit=1&cursor={cursor}").json
            pages += page["keys"]
            cursor = page["next_cursor"]
        self.assertEqual(sorted(key["id"] for key in pages), sorted([theirs["id"], ours["id"]]))

    def test_a_stream_ends_with_its_key(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0))
        config = self.config()
        config["tools"]["pay"]["approval"] = "always"
        server = self.server(config)
        task = server.api.submit("orders", "waits")
        server.api.wait(task, "input_required")
        made = self.make(server)
        own, server.api.token = server.api.token, made["key"]
        stream = server.api.stream(task)
        next(stream)
        server.api.token = own
        server.api.call("DELETE", "/v1/keys/" + made["id"])
        self.assertNotIn("task.completed", [event.name for event in stream])

    def test_a_tool_may_hold_no_credential_that_decides(self):
        server = self.serve()
        harmless = self.make(server, scopes=["run"])["key"]
        deciding = self.make(server, name="boss", scopes=["approve"])["key"]
        server.stop()
        for secret, starts in ((harmless, True), (deciding, False), (VALUES["ROOT"], False),
                               (server.token, False)):
            server.env["HELD"] = secret
            server.configure(self.config(tokens=TOKENS, secrets={"held": "env:HELD"}), {"orders": {
                "model": "main", "tools": ["*"]}})
            if starts:
                server.start().stop()
            else:
                with self.assertRaisesRegex(AssertionError, "could approve its own calls"):
                    server.start()


class Durable(SystemTest):
    def test_what_was_answered_survives_a_kill(self):
        for point in ("engine.before_commit:7", "engine.after_commit:7", "engine.before_release:7"):
            with self.subTest(point):
                server = self.server(start=False)
                server.env["PERDURE_CRASH_AT"] = point
                server.start()
                good, gone = {}, {}
                try:
                    for n in range(30):
                        made = server.api.post("/v1/keys", {"name": f"k{n}", "scopes": ["run"]}).json
                        good[made["id"]] = made["key"]
                        if n % 2:
                            continue
                        under_way = made["id"]
                        key = good.pop(under_way)
                        self.assertEqual(server.api.call("DELETE", "/v1/keys/" + under_way).status, 204)
                        gone[under_way] = key
                except OSError:
                    pass
                self.assertGreater(len(good) + len(gone), 2)
                server.ended()
                del server.env["PERDURE_CRASH_AT"]
                server.start()
                self.assertEqual({server.api.get("/v1/tasks", token=key).status for key in good.values()}, {200})
                self.assertEqual({server.api.get("/v1/tasks", token=key).status for key in gone.values()}, {401})
                server.close()


if __name__ == "__main__":
    unittest.main()
