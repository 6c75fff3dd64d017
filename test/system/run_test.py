"""perdure run: from an agent file to an answer, with a server that is there only as long as it is
needed."""
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import unittest

import answers
from case import SystemTest, agent
from runs import NO_KEYS, RunTest
from server import BINARY, run, toml
from terminal import Terminal


class RunAnAgent(RunTest):
    def test_an_answer(self):
        done = self.perdure("run", "orders.toml", "say it")
        self.assertEqual(done.stdout, "All is\ndone.\n")
        self.assertIn("turn 1", done.stderr)
        self.assertIn("completed  1 turn", done.stderr)
        self.assertEqual(os.getsid(self.server_pid), self.server_pid, "no terminal of ours reaches it")
        first = self.server_pid
        quiet = self.perdure("run", "orders.toml", "--quiet", "say it")
        self.assertEqual((quiet.stdout, quiet.stderr), ("All is\ndone.\n", ""))
        self.assertEqual(self.server_pid, first, "it is used again")
        task = json.loads(self.perdure("run", "orders.toml", "say it", "--json").stdout)
        self.assertEqual(task["result"], {"text": "All is\ndone."})
        given = subprocess.run([BINARY, "run", "orders.toml", "-", "--json"], cwd=self.folder, text=True,
                               input="say it\nin two lines\n", capture_output=True, timeout=60)
        self.assertEqual(given.returncode, 0, given)
        self.assertIn("say it\\nin two lines", self.model_bodies("two lines")[-1])
        self.assertEqual((self.folder / ".perdure").stat().st_mode & 0o777, 0o700)
        self.assertEqual((self.folder / ".perdure" / "server.log").stat().st_mode & 0o777, 0o600)

    def test_two_at_once_start_one_server(self):
        text = (self.folder / "perdure.toml").read_text()
        (self.folder / "perdure.toml").write_text('[server]\ndata_dir = "state/here"\n' + text)
        self.data = self.folder / "state" / "here"
        both = [subprocess.Popen([BINARY, "run", "orders.toml", "say it"], cwd=self.folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        for process in both:
            out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (0, "All is\ndone.\n"), err)
        self.assertEqual(self.log().count("listening on"), 1, self.log())
        self.assertEqual(self.perdure("tasks", "list").stdout.count("completed"), 2, "found as `run` finds it")

    def test_a_question_ends_it_without_a_terminal(self):
        before = len(self.received("/pay"))
        done = self.perdure("run", "orders.toml", "pay it", status=5)
        self.assertEqual(done.stdout, "")
        self.assertIn('"order": 1', done.stderr)
        approve = re.search(r"perdure (approve \S+)", done.stderr)[1]
        task = re.search(r"task_\w+", done.stderr)[0]
        self.perdure(*approve.split())
        self.assertIn("completed", self.perdure("events", task, "--follow").stdout)
        self.assertEqual(len(self.received("/pay")), before + 1)

    def test_a_question_at_a_terminal(self):
        terminal = Terminal("run", "orders.toml", "pay it", cwd=self.folder, env=NO_KEYS)
        self.addCleanup(terminal.close)
        terminal.expect("may 'pay' be called?")
        terminal.expect("[l]eave it:")
        terminal.type("a")
        terminal.expect("recorded")
        terminal.expect("completed")
        terminal.expect("All is")
        self.assertEqual(terminal.end(), 0)

    def test_a_question_that_is_left(self):
        terminal = Terminal("run", "orders.toml", "pay it", cwd=self.folder, env=NO_KEYS)
        self.addCleanup(terminal.close)
        terminal.expect("[l]eave it:")
        terminal.type("l")
        terminal.expect("the task waits")
        self.assertEqual(terminal.end(), 5)

    def test_a_question_that_is_decided_elsewhere(self):
        terminal = Terminal("run", "orders.toml", "pay it", cwd=self.folder, env=NO_KEYS)
        self.addCleanup(terminal.close)
        shown = terminal.expect("[l]eave it:")
        self.perdure("approve", re.search(r"perdure approve (\S+)", shown)[1])
        terminal.expect("decided elsewhere")
        terminal.expect("completed")
        self.assertEqual(terminal.end(), 0)

    def test_ctrl_c_leaves_task_and_server(self):
        terminal = Terminal("run", "orders.toml", "hold it", cwd=self.folder, env=NO_KEYS)
        self.addCleanup(terminal.close)
        self.world.wait_held("hold")
        terminal.expect("model main")
        terminal.interrupt()
        terminal.expect("the task goes on")
        self.assertEqual(terminal.end(), 130)
        self.world.release("hold")
        task = re.search(r"task_\w+", terminal.text)[0]
        self.assertIn("Held words.", self.perdure("events", task, "--follow").stdout)

    def test_a_task_that_fails(self):
        done = self.perdure("run", "orders.toml", "break it", status=4)
        self.assertIn("no such model", done.stderr)

    def test_detached(self):
        task = self.perdure("run", "orders.toml", "say it", "--detach").stdout.strip()
        self.assertRegex(task, r"^task_\w{26}$")
        self.assertIn("completed", self.perdure("events", task, "--follow").stdout)

    def test_versions(self):
        self.perdure("run", "orders.toml", "say it")
        first = self.perdure("agents", "show", "orders").stdout
        self.write_agent(instructions="You handle orders with care.")
        self.perdure("agents", "put", "orders.toml")
        second = self.perdure("agents", "show", "orders").stdout
        self.assertIn("with care", second)
        self.assertNotEqual(first, second)
        self.assertIn("orders", self.perdure("agents", "list").stdout)

    def test_a_limit_above_the_operators_is_said(self):
        self.write_agent(max_output_tokens=9000)
        warning = "perdure: orders.toml: max_output_tokens = 9000: models.main of the operator's file allows 8192"
        self.assertIn(warning, self.perdure("run", "orders.toml", "say it", "--quiet").stderr)
        self.assertIn(warning, self.perdure("agents", "put", "orders.toml").stderr)
        self.assertIn("warning    max_output_tokens = 9000", self.perdure("agents", "show", "orders").stdout)
        self.write_agent(max_output_tokens=8192)
        self.assertEqual(self.perdure("agents", "put", "orders.toml").stderr, "")

    def test_a_schema_in_a_file_beside_it(self):
        (self.folder / "agents").mkdir()
        (self.folder / "agents" / "verdict.json").write_text('{"type": "object", "required": ["verdict"]}')
        (self.folder / "agents" / "orders.toml").write_text(
            toml({"name": "orders", **agent(output_schema="verdict.json")}))
        self.world.rules(answers.says('{"verdict": "keep"}'))
        done = self.perdure("run", "agents/orders.toml", "judge it", "--json")
        self.assertEqual(json.loads(done.stdout)["result"], {"verdict": "keep"})
        self.perdure("agents", "put", "agents/orders.toml")
        self.assertIn("verdict", self.perdure("agents", "show", "orders").stdout)
        (self.folder / "agents" / "verdict.json").unlink()
        self.assertIn("verdict.json", self.perdure("agents", "put", "agents/orders.toml", status=1).stderr)

    def test_an_agent_of_the_operators_file(self):
        config = (self.folder / "perdure.toml").read_text()
        (self.folder / "mine").mkdir()
        (self.folder / "mine" / "orders.toml").write_text((self.folder / "orders.toml").read_text())
        (self.folder / "perdure.toml").write_text(config + '[agents]\norders = "mine/orders.toml"\n')
        done = self.perdure("run", "orders.toml", "say it", "--quiet")
        self.assertEqual((done.stdout, done.stderr), ("All is\ndone.\n", ""), "the same content")
        self.write_agent(instructions="Another.")
        done = self.perdure("run", "orders.toml", "say it", "--quiet")
        self.assertEqual(done.stdout, "All is\ndone.\n")
        self.assertEqual(self.only(done.stderr.splitlines()), "perdure: the operator's file of the server has "
                         "another 'orders' than orders.toml: that one runs")

    def test_what_is_missing_is_said(self):
        self.assertIn("nowhere.toml", self.perdure("run", "nowhere.toml", "x", status=1).stderr)
        (self.folder / "nameless.toml").write_text('model = "main"\n')
        self.assertIn("nameless.toml: name", self.perdure("run", "nameless.toml", "x", status=1).stderr)
        self.write_agent(model="mian")
        said = self.perdure("run", "orders.toml", "x", status=1).stderr
        self.assertIn("orders.toml", said)
        self.assertIn("main", said)
        (self.folder / "perdure.toml").write_text("[models.main]\nprovider = 3\n")
        self.end_server()
        self.write_agent()
        said = self.perdure("run", "orders.toml", "x", status=1).stderr
        self.assertIn("did not start", said)
        self.assertIn("models.main", said)

    def test_without_a_model(self):
        self.write_agent(model="large")
        (self.folder / "perdure.toml").unlink()
        said = self.perdure("run", "orders.toml", "x", status=1).stderr
        self.assertIn("there is no perdure.toml", said)
        self.assertIn("[models.large]", said)
        (self.folder / "perdure.toml").write_text("[server]\n")
        said = self.perdure("run", "orders.toml", "x", status=1, OPENAI_API_KEY="sk-not-shown").stderr
        self.assertIn("perdure.toml has no model", said)
        self.assertIn("OPENAI_API_KEY is set", said)
        self.assertNotIn("sk-not-shown", said)
        self.assertFalse((self.folder / ".perdure").exists(), "nothing was started")

    def what_is_proposed(self, **env):
        (self.folder / "perdure.toml").write_text("")
        said = self.perdure("run", "orders.toml", "x", status=1, **env).stderr
        return "\n".join(line.strip() for line in said.splitlines() if line.startswith("    "))

    def test_what_is_proposed_runs_an_agent_with_a_limit_of_money(self):
        self.write_agent(tools=[], limits={"cost_usd": 0.1})
        proposed = {key: self.what_is_proposed(**{key: "sk-not-shown"})
                    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")}
        with Ollama() as place:
            proposed["OLLAMA"] = self.what_is_proposed(OLLAMA_HOST=place)
            self.assertIn('"qwen3"', proposed["OLLAMA"])
            self.assertIn(f'base_url = "http://{place}/v1"', proposed["OLLAMA"])
        for key, lines in proposed.items():
            with self.subTest(key):
                self.assertIn("[models.main]", lines)
                (self.folder / "perdure.toml").write_text(lines)
                self.perdure("run", "orders.toml", "x", "--detach", **{key: "sk-not-shown"})
                self.end_server()
                shutil.rmtree(self.data)


class Ollama:
    """What lists its models as Ollama does; entered, it is where."""

    def __enter__(self):
        class Tags(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"models": [{"name": "nomic-embed-text"}, {"name": "qwen3"}]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tags)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class UntilIdle(SystemTest):
    def test_it_ends_when_nothing_is_open(self):
        self.world.rules({"path": answers.MODEL_PATH,
                          "steps": answers.stream(answers.text_chunks("Held."), "hold", 0)})
        served = self.server(start=False)
        served.start("--until-idle", "300ms")
        task = served.api.submit("orders", "hold it")
        self.world.wait_held("hold")
        with self.assertRaises(subprocess.TimeoutExpired):
            served.process.wait(1.5)
        self.world.release("hold")
        self.assertEqual(served.ended(20), 0)
        self.assertIn("idle", served.log_text())
        self.assertFalse((served.data / "address").exists())
        served.start()
        self.assertEqual(served.api.task(task)["status"], "completed")

    def test_the_data_directory_is_held_once(self):
        served = self.server()
        second = run("serve", "--config", served.folder / "perdure.toml", "--data-dir", served.data, "--listen",
                     "127.0.0.1:0")
        self.assertEqual(second.returncode, 75)
        self.assertIn("is in use by process", second.stderr)


if __name__ == "__main__":
    unittest.main()
