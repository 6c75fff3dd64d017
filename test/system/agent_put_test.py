"""Agents put over the API: versions by content, pinned by tasks, beside those of the operator's file."""
import json
import unittest

import answers
from case import SystemTest, agent

FILE = {"model": "main", "tools": ["look"], "instructions": "You look."}
TOKENS = {"ann": {"token": "env:ANN", "scopes": ["run"]}, "ci": {"token": "env:CI", "scopes": ["agents"]},
          "eve": {"token": "env:EVE", "scopes": ["run", "agents"], "tenant": "other"}}
VALUES = {name.upper(): f"token-of-{name}-0123456789abcdef" for name in TOKENS}


class Put(SystemTest):
    def setUp(self):
        self.world.rules(answers.says("Done."))

    def serve(self, **options):
        return self.server(self.config(tokens=TOKENS), env=VALUES, **options)

    def put(self, server, name, file, **options):
        return server.api.call("PUT", "/v1/agents/" + name, file, **options)

    def test_an_agent_is_put_listed_and_run(self):
        server = self.serve()
        put = self.put(server, "looker", FILE)
        self.assertEqual(put.status, 201, put)
        version = put.json["version"]
        self.assertRegex(version, "^[0-9a-f]{64}$")
        self.assertEqual(put.json["problem"], None)
        self.assertEqual(put.json["created_by"], "operator")
        again = self.put(server, "looker", {**FILE, "name": "looker", "model": ["main"]})
        self.assertEqual((again.status, again.json), (200, put.json), "the same content is the same version")
        self.assertEqual(server.api.get("/v1/agents/looker").json, put.json)
        self.assertEqual([tool["name"] for tool in put.json["content"]["tools"]], ["look"])
        listed = server.api.get("/v1/agents").json["agents"]
        self.assertEqual([(a["name"], a["source"]) for a in listed], [("looker", "api"), ("orders", "file")])
        task = server.api.submit("looker", "go")
        self.assertEqual(server.api.wait(task)["status"], "completed")
        self.assertEqual(server.api.journal(task)[0]["agent_version"], version)
        self.assertIn("You look.", json.dumps(self.model_bodies('"go"')[0]))

    def test_versions_and_pages(self):
        server = self.serve()
        texts = ["one", "two", "one", "three"]
        versions = [self.put(server, "v", {**FILE, "instructions": text}).json["version"] for text in texts]
        self.assertEqual(versions[0], versions[2], "an old content is its old version")
        shown = server.api.get("/v1/agents/v/versions").json
        self.assertEqual([v["version"] for v in shown["versions"]], versions[::-1])
        self.assertEqual(shown["next_cursor"], None)
        first = server.api.get("/v1/agents/v/versions?limit=3").json
        self.put(server, "v", {**FILE, "instructions": "four"})
        rest = server.api.get(f"/v1/agents/v/versions?limit=3&cursor={first['next_cursor']}").json
        self.assertEqual([v["version"] for v in first["versions"] + rest["versions"]], versions[::-1])
        old = server.api.get("/v1/agents/v/versions/" + versions[1]).json
        self.assertEqual(old["content"]["instructions"], "two")
        self.assertEqual(server.api.get("/v1/agents/v/versions/" + "0" * 64).status, 404)
        self.assertEqual(server.api.get("/v1/agents/nobody/versions").status, 404)
        for name in ("a", "b", "c"):
            self.put(server, name, FILE)
        names, cursor = [], ""
        while cursor is not None:
            page = server.api.get(f"/v1/agents?limit=2&cursor={cursor}").json
            names += [a["name"] for a in page["agents"]]
            cursor = page["next_cursor"]
        self.assertEqual(names, ["a", "b", "c", "orders", "v"])

    def test_a_put_changes_no_running_task(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0), answers.says("Done.", round=1),
                         answers.replies("/pay", 1))
        server = self.serve()
        first = self.put(server, "payer", {**FILE, "tools": "pay", "instructions": "The first.",
                                           "approval": {"pay": "always"}}).json["version"]
        task = server.api.submit("payer", "old")
        server.api.wait(task, "input_required")
        self.put(server, "payer", {**FILE, "tools": "pay", "instructions": "The second."})
        server.kill()
        server.start()
        server.api.resolve(self.only(server.api.inbox(task))["id"], "approve")
        server.api.wait(task, "completed")
        bodies = [json.dumps(body) for body in self.model_bodies('"old"')]
        self.assertEqual(len(bodies), 2)
        self.assertTrue(all("The first." in body and "The second." not in body for body in bodies))
        self.assertEqual(server.api.journal(task)[0]["agent_version"], first)

    def test_mistakes(self):
        server = self.serve()
        cases = [("x", {**FILE, "model": "mian"}, 422, "did you mean 'main'?"),
                 ("x", {**FILE, "tools": ["lock"]}, 422, "did you mean 'look'?"),
                 ("x", {**FILE, "modle": "main"}, 422, "did you mean 'model'?"),
                 ("x", {**FILE, "name": "y"}, 422, "the path names 'x'"),
                 ("x", {**FILE, "limits": {"turns": 0}}, 422, "turns"),
                 ("x", {**FILE, "approval": {"look": "never"}}, 422, "may only tighten"),
                 ("x", [], 422, "expected an object"), ("x", {}, 422, "agent.model"),
                 ("x", b"{", 400, "body"),
                 ("a%2Fb", FILE, 422, "the name of an agent"), ("%00", FILE, 422, "the name of an agent"),
                 ("x" * 129, FILE, 422, "the name of an agent"), ("%zz", FILE, 404, ""),
                 ("orders", FILE, 409, "operator's file")]
        for name, file, status, says in cases:
            with self.subTest(f"{name[:9]} {file}"):
                reply = self.put(server, name, file)
                self.assertEqual(reply.status, status, reply)
                self.assertIn(says, reply.json["detail"])
        self.assertEqual(self.put(server, "orders", FILE).json["code"], "agent_configured")
        same = self.put(server, "orders", agent())
        self.assertEqual((same.status, same.json), (200, server.api.get("/v1/agents/orders").json))
        wrong = self.put(server, "x", FILE, headers={"Content-Type": "text/plain"})
        self.assertEqual(wrong.status, 415)
        self.assertEqual(server.api.get("/v1/agents/x").status, 404, "nothing came of any of them")

    def test_scopes_and_tenants(self):
        server = self.serve()
        as_ = {name: {"token": VALUES[name.upper()]} for name in TOKENS}
        self.assertEqual(self.put(server, "x", FILE, **as_["ann"]).json["code"], "missing_scope")
        put = self.put(server, "x", FILE, **as_["ci"])
        self.assertEqual((put.status, put.json["created_by"]), (201, "ci"))
        run = server.api.post("/v1/tasks", {"agent": "x", "input": 1}, **as_["ci"])
        self.assertEqual(run.status, 403, "who deploys need not run")
        self.assertEqual(server.api.get("/v1/agents/x", **as_["eve"]).status, 404)
        self.assertEqual([a["name"] for a in server.api.get("/v1/agents", **as_["eve"]).json["agents"]],
                         ["orders"])
        refused = server.api.post("/v1/tasks", {"agent": "x", "input": 1}, **as_["eve"])
        self.assertEqual((refused.status, refused.json["code"]), (422, "unknown_agent"))
        self.assertEqual(self.put(server, "x", {**FILE, "instructions": "Hers."}, **as_["eve"]).status, 201)
        self.assertEqual(server.api.get("/v1/agents/x").json, put.json, "each tenant has its own")

    def test_a_limit_above_the_operators_is_said(self):
        config = self.config()
        config["models"]["small"] = {**config["models"]["main"], "max_output_tokens": 100}
        server = self.server(config, {"orders": agent(max_output_tokens=9000)})
        wide = {**FILE, "model": ["main", "small"], "max_output_tokens": 8192}
        warning = self.only(self.put(server, "wide", wide).json["warnings"])
        self.assertIn("max_output_tokens = 8192: models.small of the operator's file allows 100", warning)
        self.assertEqual(server.api.get("/v1/agents/wide").json["warnings"], [warning])
        self.assertEqual(self.put(server, "narrow", {**wide, "max_output_tokens": 100}).json["warnings"], [])
        self.assertEqual(len(server.api.get("/v1/agents/orders").json["warnings"]), 1)
        said = self.only([line for line in server.log_text().splitlines() if "agent.limit_without_effect" in line])
        self.assertIn('agent="orders"', said)
        self.assertIn("models.main of the operator's file allows 8192", said)

    def test_what_left_the_operators_file(self):
        server = self.serve()
        self.put(server, "x", FILE)
        self.put(server, "later", FILE)
        task = server.api.submit("x", 1, key="one")
        server.api.wait(task, "completed")
        server.stop()
        config = self.config(tokens=TOKENS)
        del config["tools"]["look"]
        server.configure(config, {"orders": agent(), "later": agent()})
        server.start()
        self.assertIn("there is no tool 'look'", server.api.get("/v1/agents/x").json["problem"])
        refused = server.api.post("/v1/tasks", {"agent": "x", "input": 1})
        self.assertEqual((refused.status, refused.json["code"]), (409, "agent_unusable"))
        self.assertEqual(server.api.submit("x", 1, key="one"), task, "it was accepted once")
        with self.assertRaisesRegex(AssertionError, "agent_unusable"):
            server.api.submit("x", 2, key="one")
        self.assertEqual(server.api.get("/v1/agents/later").json["source"], "file")
        self.assertIn("agent.hidden", server.log_text())


class Durable(SystemTest):
    WEIGHT = 2

    def test_what_was_answered_survives_a_kill(self):
        """Puts until the server is killed at a commit: all that were answered are there, in order."""
        self.world.rules(answers.says("Done."))
        for point in ("blob.before_rename:9", "blob.after_rename:9", "engine.before_commit:9",
                      "store.in_transaction:9", "engine.after_commit:9", "engine.before_release:9"):
            with self.subTest(point):
                server = self.server(start=False)
                server.env["PERDURE_CRASH_AT"] = point
                server.start()
                answered = []
                try:
                    for n in range(30):
                        text = {**FILE, "instructions": f"Number {n}."}
                        answered.append(server.api.call("PUT", "/v1/agents/x", text).json["version"])
                except OSError:
                    pass
                self.assertLess(len(answered), 30, "it was killed")
                self.assertGreater(len(answered), 3)
                server.ended()
                del server.env["PERDURE_CRASH_AT"]
                server.start()
                shown = server.api.get("/v1/agents/x/versions?limit=200").json["versions"]
                versions = [v["version"] for v in shown][::-1]
                self.assertEqual(versions[:len(answered)], answered)
                self.assertLessEqual(len(versions), len(answered) + 1, "at most the one under way")
                newest = server.api.get("/v1/agents/x").json
                self.assertEqual(newest["version"], versions[-1])
                server.api.wait(server.api.submit("x", point), "completed")
                server.close()


if __name__ == "__main__":
    unittest.main()
