"""A folder with an operator's file and an agent, for `perdure run`: its server is nobody's child."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import answers
from case import SystemTest, agent, tool
from server import BINARY, run, toml

NO_KEYS = {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "", "OLLAMA_HOST": "127.0.0.1:9"}  # and nobody there


def process_state(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


class RunTest(SystemTest):
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
        self.commands = []
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
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + 20
        while process_state(pid) not in (None, "Z") and time.monotonic() < deadline:
            time.sleep(0.02)

    def perdure(self, *words, status=0, **env):
        done = run(*words, cwd=self.folder, env={**NO_KEYS, **env})
        self.assertEqual(done.returncode, status, done)
        return done

    def log(self):
        path = self.data / "server.log"
        return path.read_text() if path.exists() else ""

    def background(self, *words):
        """A command that goes on; `said` tells its words so far."""
        out, err = (open(self.folder / f"{name}-{len(self.commands)}", "w+") for name in ("out", "err"))
        process = subprocess.Popen([BINARY, *words], cwd=self.folder, env={**os.environ, **NO_KEYS}, stdout=out,
                                   stderr=err)
        self.commands.append(process)
        process.said = lambda: pathlib.Path(err.name).read_text()
        process.printed = lambda: pathlib.Path(out.name).read_text()
        for done in (out.close, err.close, process.wait, process.kill):
            self.addCleanup(done)
        return process

    def until(self, is_so):
        deadline = time.monotonic() + 30
        while not is_so():
            self.assertLess(time.monotonic(), deadline, "it never came")
            time.sleep(0.02)

    def ends_well(self, process, printed="All is\ndone.\n"):
        self.assertEqual(process.wait(60), 0, process.said())
        self.assertEqual(process.printed(), printed)
        return process.said()

    def add_tool(self, name):
        """To the operator's file, and the agent has it."""
        config = (self.folder / "perdure.toml").read_text()
        added = toml({"tools": {name: tool(self.world, "/" + name)}}).removeprefix("[tools]\n")
        (self.folder / "perdure.toml").write_text(config + added)
        self.write_agent(tools=[name, "pay"])
