"""Signals, exit statuses, metrics, and the description of the surface."""
import json
import re
import shutil
import signal
import subprocess
import time
import unittest

import answers
from case import SystemTest
from server import ROOT, run


class Ends(SystemTest):
    def begin(self, **server):
        self.world.rules(answers.calls(("c", "pay", {"order": 1}), round=0), answers.says("Done.", round=1),
                         answers.held("/pay", "pay", {"paid": 1}))
        served = self.server(self.config(server=server))
        task = served.api.submit("orders", "ending")
        self.world.wait_held("pay")
        return served, task

    def draining(self, served):
        end = time.monotonic() + 20
        while "server.draining" not in served.log_text():
            self.assertLess(time.monotonic(), end, "it does not drain")

    def test_a_call_under_way_is_waited_for(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                served, task = self.begin(drain="20s")
                before = len(self.received("/pay"))
                served.process.send_signal(number)
                self.draining(served)
                self.world.release("pay")
                self.assertEqual(served.ended(), 0)
                served.start()
                served.api.wait(task, "completed")
                self.assertEqual(len(self.received("/pay")), before, "its outcome was recorded")
                self.assertEqual(served.api.inbox(task), [])

    def test_but_not_for_ever(self):
        before = len(self.received("/pay"))
        served, task = self.begin(drain="200ms")
        self.assertEqual(served.stop(seconds=10), 0)
        served.start()
        seen = served.api.wait(task, "input_required")
        self.assertEqual(seen["waiting_for"][0]["reason"], "uncertain_outcome")
        self.assertEqual(len(self.received("/pay")), before + 1)
        self.world.release("pay")

    def test_an_idle_server_ends_at_once(self):
        served = self.server()
        began = time.monotonic()
        self.assertEqual(served.stop(), 0)
        self.assertLess(time.monotonic() - began, 5)

    def test_statuses(self):
        self.assertEqual(run("--version").returncode, 0)
        self.assertRegex(run("--version").stdout, r"^\d+\.\d+\.\d+\n$")
        self.assertEqual(run("--help").returncode, 0)
        for words in ((), ("srve",), ("serve", "--no-such-flag"), ("doctor", "a", "b")):
            done = run(*words)
            self.assertGreater(done.returncode, 2, done)
            self.assertTrue(done.stderr or done.stdout)


class Log(SystemTest):
    def test_json_lines(self):
        served = self.server(start=False).start("--log-json")
        served.stop()
        lines = [json.loads(line) for line in served.log_text().splitlines()]
        self.assertEqual([line["event"] for line in lines if line["event"].startswith("server.")],
                         ["server.started", "server.draining", "server.stopped"])
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("debug", "info", "warning", "error"))
            self.assertTrue(all(isinstance(value, str) for value in line.values()), line)

    def test_every_event_is_documented(self):
        named = set()
        for path in (ROOT / "src").rglob("*.cc"):
            named |= {name for call in re.findall(r"\blog\(LogLevel.*?;", path.read_text("utf-8"), re.S)
                      for name in re.findall(r'"([a-z]+\.[a-z_]+)"', call)}
        documented = (ROOT / "docs" / "operations.md").read_text("utf-8")
        self.assertGreater(len(named), 20)
        self.assertEqual([name for name in sorted(named) if f"`{name}`" not in documented], [])


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? '
                    r'(NaN|[+-]Inf|[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)$')


def parse_metrics(text):
    """The text format 0.0.4, strictly: {name: {labels: value}}; one head a family, samples behind it."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    families, current = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            if current in families or len(line.split(" ", 3)) < 4:
                raise ValueError(line)
            families[current] = {"type": None, "samples": {}}
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name != current or kind not in ("counter", "gauge", "histogram") or families[name]["type"]:
                raise ValueError(line)
            families[name]["type"] = kind
        else:
            found = SAMPLE.match(line)
            name = found and found[1]
            if found and families[current]["type"] == "histogram":
                name = re.fullmatch(f"({current})(_bucket|_sum|_count)", found[1]) and current
            if not found or name != current:
                raise ValueError(line)
            key = found[2] if found[1] == current else (found[1].removeprefix(current), found[2])
            if key in families[current]["samples"]:
                raise ValueError(line)
            families[current]["samples"][key] = float(found[3])
    return families


class Surface(SystemTest):
    def setUp(self):
        self.world.rules(answers.calls(("c", "pay", {"order": 1}), round=0), answers.says("Done.", round=1),
                         answers.replies("/pay", 1))
        config = self.config(agents={"manual": {"planner": 'man"u\\al'}})
        config["tools"]["pay"]["approval"] = "always"
        self.served = self.server(config)
        self.api = self.served.api

    def test_metrics(self):
        before = parse_metrics(self.api.get("/metrics").body.decode())
        task = self.api.submit("orders", "metrics")
        self.api.wait(task, "input_required")
        reply = self.api.get("/metrics")
        self.assertEqual(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        after = parse_metrics(reply.body.decode())
        self.assertGreater(len(after), 30)
        for name, family in after.items():
            self.assertTrue(name.startswith(("perdure_", "process_")), name)
            self.assertEqual(name.endswith("_total"), family["type"] == "counter", name)
            if family["type"] == "counter":
                for labels, value in before.get(name, {"samples": {}})["samples"].items():
                    self.assertGreaterEqual(family["samples"][labels], value, name)
        self.assertEqual(after["perdure_sends_total"]["samples"][None], 1)
        self.assertGreater(after["perdure_commits_total"]["samples"][None], 1)
        self.assertEqual(after["perdure_open_tasks"]["samples"]['status="input_required"'], 1)
        self.assertEqual(after["perdure_open_interrupts"]["samples"]['reason="tool_approval"'], 1)
        calls = after["perdure_model_calls_total"]["samples"]
        self.assertEqual(list(calls.values()), [1])
        self.assertIn('outcome="succeeded",failure="none"', list(calls)[0])
        self.assertGreater(min(after["perdure_model_tokens_total"]["samples"].values()), 0)
        commit = after["perdure_commit_seconds"]["samples"]
        self.assertEqual(commit[("_bucket", 'le="+Inf"')], commit[("_count", None)])
        self.assertGreater(after["process_resident_memory_bytes"]["samples"][None], 1e6)
        self.assertGreater(after["process_start_time_seconds"]["samples"][None], time.time() - 3600)
        self.promtool(reply.body)

    def promtool(self, text):
        promtool = shutil.which("promtool")
        if not promtool:
            self.skipTest("not run: promtool (./dev setup installs it)")
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_promtool_can_fail(self):
        with self.assertRaises(AssertionError):
            self.promtool(b"# HELP a b\n# TYPE a counter\na 1\n")

    def test_the_strict_parser_can_fail(self):
        for text in ("a 1", "# HELP a b\n# TYPE a counter\nb 1\n", "# HELP a b\n# TYPE a counter\na one\n",
                     '# HELP a b\n# TYPE a gauge\na{x="1} 1\n', "# HELP a b\n# TYPE a counter\na 1\na 2\n"):
            with self.assertRaises((ValueError, KeyError)):
                parse_metrics(text)

    def test_the_description(self):
        served = self.api.get("/openapi.json")
        described = json.loads((ROOT / "api" / "openapi.json").read_text("utf-8"))
        self.assertEqual(served.json, described)
        task = self.api.submit("orders", "described")
        self.api.wait(task, "input_required")
        question = self.only(self.api.inbox(task))["id"]
        self.api.submit("manual", {"any": 1})
        ended = self.api.submit("orders", "described, and cancelled")
        self.api.wait(ended, "input_required")
        asked = [
            ("/v1/tasks", "post", "", {"agent": "orders", "input": 1}), ("/v1/tasks", "get", "", None),
            ("/v1/tasks", "get", "?status=input_required&limit=1", None), ("/v1/tasks/{id}", "get", "", None),
            ("/v1/tasks/{id}/events", "get", "", None), ("/v1/tasks/{id}/journal", "get", "", None),
            ("/v1/tasks/{id}/state", "get", "", None), ("/v1/tasks/{id}/ack", "post", "", {}),
            ("/v1/interrupts", "get", "", None), ("/v1/interrupts/{id}", "get", "", None),
            ("/v1/planners/{name}/poll", "post", "", {"version": "1", "wait_s": 5}),
            ("/v1/planners/{name}/turns", "post", "", {}), ("/v1/interrupts/{id}/resolve", "post", "", {"decision": "approve"}),
            ("/v1/tasks/{id}/cancel", "post", "", {}),
            ("/v1/agents/{name}", "put", "", {"model": "main"}), ("/v1/agents", "get", "", None),
            ("/v1/agents/{name}", "get", "", None), ("/v1/agents/{name}/versions", "get", "", None),
            ("/v1/agents/{name}/versions/{version}", "get", "", None), ("/healthz", "get", "", None), ("/readyz", "get", "", None),
            ("/metrics", "get", "", None), ("/openapi.json", "get", "", None),
            ("/", "get", "", None), ("/console/{file}", "get", "", None)]
        version = ""
        for path, method, query, body in asked:
            with self.subTest(f"{method} {path}"):
                target = path.replace("{id}", question if "interrupts" in path else ended if "cancel" in path else task)
                target = target.replace("{name}", "put" if "agents" in path else "man%22u%5Cal") + query
                target = target.replace("{version}", version).replace("{file}", "main.js")
                reply = self.api.call(method.upper(), target, body)
                version = reply.json["version"] if method == "put" else version
                self.assertLess(reply.status, 500, reply)


if __name__ == "__main__":
    unittest.main()
