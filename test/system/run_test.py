"""perdure run: from an agent file to an answer, with a server that is there only as long as it is
needed."""
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import answers
from case import SystemTest, agent, tool
from server import BINARY, run, toml
from terminal import Terminal

NO_KEYS = {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": ""}


def process_state(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


class RunAnAgent(SystemTest):
    def setUp(self):
        self.world.rules(
            answers.calls(("c1", "pay", {"order": 1}), round=0, contains="pay it"),
            {"path": answers.MODEL_PATH, "contains": "hold it",
             "steps": answers.stream(answers.text_chunks("Held words."), "hold", 0)},
            {"path": answers.MODEL_PATH, "contains": "break it",
             "steps": [["head", 400, {}], ["body", '{"error": {"message": "no such model"}}'], ["end"]]},
            answers.says("All is\ndone.", lacks="hold it"), answers.replies("/pay", {"paid": 1}))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perdure-run-"))
        self.data = self.folder / ".perdure"
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.addCleanup(self.end_server)
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", approval="always")
        (self.folder / "perdure.toml").write_text(toml(config))
        self.write_agent()

    def write_agent(self, **more):
        (self.folder / "orders.toml").write_text(toml({"name": "orders", **agent(**more)}))

    @property
    def server_pid(self):
        try:
            return int((self.data / "lock").read_text() or 0)
        except (FileNotFoundError, ValueError):
            return 0

    def end_server(self, number=signal.SIGTERM):
        """The server is nobody's child: what it leaves is its lock."""
        pid = self.server_pid
        if not pid:
            return
        os.kill(pid, number)
        deadline = time.monotonic() + 20
        while process_state(pid) not in (None, "Z") and time.monotonic() < deadline:
            time.sleep(0.02)

    def perdure(self, *words, status=0, **env):
        done = run(*words, cwd=self.folder, env={**NO_KEYS, **env})
        self.assertEqual(done.returncode, status, done)
        return done

    def log(self):
        return (self.data / "server.log").read_text()

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

    def test_a_server_that_is_killed_is_started_again(self):
        with subprocess.Popen([BINARY, "run", "orders.toml", "hold it"], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.world.wait_held("hold")
            self.end_server(signal.SIGKILL)
            self.world.wait_held("hold", 2)
            self.world.release("hold")
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (0, "Held words.\n"), err)
        self.assertIn("the server went away", err)
        self.assertEqual(err.count("agent    orders"), 1)
        self.assertEqual(self.log().count("listening on"), 2)

    def add_tool(self, name):
        """To the operator's file, and the agent has it."""
        config = (self.folder / "perdure.toml").read_text()
        added = toml({"tools": {name: tool(self.world, "/" + name)}}).removeprefix("[tools]\n")
        (self.folder / "perdure.toml").write_text(config + added)
        self.write_agent(tools=[name, "pay"])

    def test_a_file_that_has_changed_is_read(self):
        self.perdure("run", "orders.toml", "say it")
        first = self.server_pid
        self.add_tool("added")
        done = self.perdure("run", "orders.toml", "say it with more")
        self.assertIn(f"perdure.toml is not the one with which the server (process {first}) was started", done.stderr)
        self.assertIn("added", self.model_bodies("with more")[-1])
        self.assertNotIn(self.server_pid, (0, first))
        self.assertIn(process_state(first), (None, "Z"))
        self.assertNotIn("was started", self.perdure("run", "orders.toml", "say it again").stderr)

    def test_a_file_that_has_changed_while_a_person_is_waited_for(self):
        asked = self.perdure("run", "orders.toml", "pay it", status=5).stderr
        first = self.server_pid
        self.add_tool("added")
        self.perdure("run", "orders.toml", "say it")
        self.assertNotEqual(self.server_pid, first, "a question that waits is no reason to stay")
        self.perdure(*re.search(r"perdure (approve \S+)", asked)[1].split())
        task = re.search(r"task_\w+", asked)[0]
        self.assertIn("completed", self.perdure("events", task, "--follow").stdout)

    def test_a_server_at_work_is_not_cut_off(self):
        self.perdure("run", "orders.toml", "hold it", "--detach")
        self.world.wait_held("hold")
        first = self.server_pid
        self.write_agent(instructions="Be brief.")
        config = (self.folder / "perdure.toml").read_text()
        (self.folder / "perdure.toml").write_text(config + "no TOML")
        self.assertIn("perdure.toml:", self.perdure("run", "orders.toml", "say it", status=1).stderr)
        (self.folder / "perdure.toml").write_text(config + "# changed\n")
        said = self.perdure("run", "orders.toml", "say it").stderr
        self.assertIn("'perdure stop --data-dir .perdure'", said)
        self.assertEqual(self.server_pid, first)
        self.world.release("hold")
        self.assertIn(f"process {first}", self.perdure("stop").stdout)
        self.assertIn(process_state(first), (None, "Z"))
        self.assertIn("no process serves", self.perdure("stop", status=3).stderr)

    def test_a_file_that_no_server_starts_with_ends_none(self):
        self.perdure("run", "orders.toml", "say it")
        first = self.server_pid
        good = (self.folder / "perdure.toml").read_text()
        for bad, mistake in ((good.replace("[models.main]", "[model.main]") + "[models.other]\n", "'models'"),
                             (good + '[secrets]\nkey = "env:NOT_SET_HERE"\n', "NOT_SET_HERE"),
                             (good + '[tokens.ci]\ntoken = "env:NOT_SET_HERE"\nscopes = ["read"]\n', "NOT_SET_HERE")):
            with self.subTest(mistake):
                (self.folder / "perdure.toml").write_text(bad)
                self.assertIn(mistake, self.perdure("run", "orders.toml", "say it", status=1).stderr)
                self.assertEqual(self.server_pid, first)
        (self.folder / "perdure.toml").write_text(good)
        self.assertNotIn("was started", self.perdure("run", "orders.toml", "say it").stderr)
        self.assertEqual(self.server_pid, first)

    def test_two_with_files_of_their_own_share_one_server(self):
        config = (self.folder / "perdure.toml").read_text()
        (self.folder / "other.toml").write_text(config + "# of the other\n")
        following = []
        for name in ("perdure.toml", "other.toml"):
            terminal = Terminal("run", "--config", name, "--data-dir", ".perdure", "orders.toml", "pay it",
                                cwd=self.folder, env=NO_KEYS)
            self.addCleanup(terminal.close)
            terminal.expect("[l]eave it:")
            following.append(terminal)
        following[0].expect("the server is back")
        pid = self.server_pid
        for terminal in following:
            terminal.type("a")
            terminal.expect("completed")
            self.assertEqual(terminal.end(), 0)
        self.assertEqual(self.server_pid, pid)
        self.assertEqual(self.log().count("listening on"), 2, self.log())

    def test_a_server_of_somebody_else_stays(self):
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0"], cwd=self.folder, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertIn("listening", process.stdout.readline())
        self.add_tool("added")
        self.write_agent()
        said = self.perdure("run", "orders.toml", "say it").stderr
        self.assertIn(f"(process {process.pid}) was started: it goes on with that until you restart it", said)
        self.assertIsNone(process.poll())
        self.perdure("stop")
        self.assertEqual(process.wait(20), 0)

    def test_only_who_holds_the_directory_is_ended(self):
        stranger = subprocess.Popen(["sleep", "60"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        self.perdure("run", "orders.toml", "say it")
        pid = self.server_pid
        running = json.loads((self.data / "running").read_text())
        self.assertEqual(running["pid"], pid)
        (self.data / "lock").write_text(f"{stranger.pid}\n")
        self.perdure("stop", status=3)
        (self.data / "running").write_text(json.dumps({**running, "pid": stranger.pid}))
        self.perdure("stop", status=3)
        self.assertIsNone(stranger.poll())
        (self.data / "lock").write_text(f"{pid}\n")

    def test_stop_waits_for_one_that_is_ending(self):
        self.data.mkdir(mode=0o700)
        # Another process holds the directory, and does not say that it serves.
        holder = subprocess.Popen(
            [sys.executable, "-c", "import fcntl, sys; lock = open(sys.argv[1], 'w'); fcntl.lockf(lock, fcntl.LOCK_EX); "
             "print('held', flush=True); sys.stdin.read()", self.data / "lock"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.stdin.close)
        self.assertEqual(holder.stdout.readline(), b"held\n")
        stop = subprocess.Popen([BINARY, "stop", "--data-dir", self.data], stdout=subprocess.PIPE, text=True)
        with self.assertRaises(subprocess.TimeoutExpired):
            stop.wait(0.3)
        holder.stdin.close()
        said, _ = stop.communicate(timeout=20)
        self.assertEqual((stop.returncode, said), (0, "stopped  it was ending already\n"))

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
