#!/usr/bin/env python3
"""A refund desk that is killed three times: demo.py PERDURE_BINARY [--keep FOLDER] [--mcp MODULES]

An agent works through messages with real tools, and the server that runs it is killed with SIGKILL at the three
worst instants: inside a call that the ledger can tell from a second one, inside a call that nobody can, and inside
a model's answer. Then it shows what the world outside has counted.
"""
import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import models
from file_server import FileServer
from kept_model import KeptModel
from office import Office
from report import Report, asked, sent
from server import Server
from story import Follower, Story, short

HERE = Path(__file__).resolve().parent
WAIT_S = 60        # without any event; a model that thinks may take longer than the kept one
WAIT_MODEL_S = 300


INSTANTS = {"refund": "the ledger has booked the refund, its answer has not arrived",
            "send_voucher": "the voucher is out, the mailer's answer has not arrived"}


class Demo:
    def __init__(self, binary, folder, kept_only, modules):
        self.binary, self.folder = binary, folder
        self.story = Story()
        self.kills = 0
        self.why_ended = None  # before the task had a good end
        shutil.copytree(HERE / "messages", folder / "messages")
        self.office = Office(folder)
        self.files = FileServer(modules, folder) if modules else None
        self.kept = KeptModel(HERE / "conversation.jsonl")
        if self.files:
            self.kept.answers = self.files.retold(self.kept.answers)
        self.who, table, self.is_kept = models.find(self.kept, kept_only)
        self.wait_s = WAIT_S if self.is_kept else WAIT_MODEL_S
        self.write_configuration(table)
        self.server = None

    def write_configuration(self, model_table):
        text = (HERE / "perdure.toml").read_text().replace(":7801/", f":{self.office.port}/")
        text = re.sub(r"\[models\.main\].*?\n\n", lambda _: model_table + "\n", text, flags=re.S)
        agent = (HERE / "refund_desk.toml").read_text()
        if self.files:
            text, agent = self.files.operators_file(text), self.files.agent_file(agent)
        (self.folder / "perdure.toml").write_text(text)
        (self.folder / "refund_desk.toml").write_text(agent)

    def start_server(self):
        self.server = Server(self.binary, self.folder / "perdure.toml", self.folder / ".perdure",
                             self.folder / "server.log")

    def restart(self, why, release, sees):
        """Kills the server, lets the world go on, and starts another on the same data. Before, the reader of
        this story sees what is about to be interrupted."""
        deadline = time.time() + 2
        while not sees(self.follower.events) and time.time() < deadline:
            time.sleep(0.01)
        self.kills += 1
        self.story.tell("SIGKILL", f"no. {self.kills}: {why}", "red")
        self.server.kill()
        release()
        self.start_server()
        self.follower.server = self.server
        self.story.tell("server", f"started again on the same data, {self.server.url}", "dim")

    def submit(self):
        task = self.server.call("POST", "/v1/tasks",
                                {"agent": "refund_desk", "input": "Work through the messages."},
                                {"Idempotency-Key": "demo"})
        self.task = task["id"]
        self.story.tell("you", f"POST /v1/tasks -> 202 {self.task}: from here on it is durable", "bold")
        self.follower = Follower(self.story, self.task, self.server)
        self.follower.start()

    def until(self, happened):
        """True once it has; False if it no longer can: `why_ended` says why."""
        seen, since = 0, time.time()
        while not happened():
            if self.follower.ended.is_set():
                return False
            if len(self.follower.events) > seen:
                seen, since = len(self.follower.events), time.time()
            if not self.follower.is_alive() or time.time() > since + self.wait_s:
                self.why_ended = f"the task has come no further for {self.wait_s} seconds"
                return False
            if self.follower.questions and not self.answer_questions():
                return False
            time.sleep(0.01)
        return True

    def kill_in_tools(self):
        """Once inside each of the two that act, in whichever order the model calls them, or in both at once."""
        holds = self.office.holds
        left = set(holds)
        while left and self.until(lambda: any(holds[tool].acted.is_set() for tool in left)):
            inside = [tool for tool in INSTANTS if tool in left and holds[tool].acted.is_set()]
            left -= set(inside)
            self.restart("; ".join(INSTANTS[tool] for tool in inside),
                         lambda: [holds[tool].released.set() for tool in inside],
                         lambda events: all(sent(events, tool) for tool in inside))

    def answer_questions(self):
        """A doubt about the mailer, which keeps no keys, is for a person: you. False for any other question."""
        for interrupt in self.server.call("GET", "/v1/interrupts")["interrupts"]:
            if interrupt["id"] not in self.follower.questions:
                continue
            if interrupt["reason"] != "uncertain_outcome":
                self.why_ended = "the task asks what this demo has no answer to: " + short(interrupt["message"], 200)
                return False
            number = self.office.vouchers.count(interrupt["action"]["args"])
            self.story.tell("you", f"look at the mailer: it has sent {number} voucher", "bold")
            decision = "happened" if number else "not_happened"
            answer = next(a for a in interrupt["answers"] if a["decision"] == decision)
            self.story.tell("you", "$ " + answer["command"], "bold")
            words = shlex.split(answer["command"])
            subprocess.run([self.binary, *words[1:], "--data-dir", self.folder / ".perdure"], check=True,
                           stdout=subprocess.DEVNULL, timeout=WAIT_S)
            self.follower.questions.discard(interrupt["id"])
        return True

    def kill_in_model(self):
        events = self.follower.events
        if self.is_kept:
            if self.until(self.kept.speaking.is_set):
                self.restart("the model is in the middle of its answer", self.kept.released.set,
                             lambda events: asked(events) == len(self.kept.answers))
            return
        before = asked(events)
        if self.until(lambda: asked(events) > before):
            self.restart("a model call is under way", lambda: None, lambda events: True)

    def run(self):
        self.story.say("\n  A refund desk that is killed three times\n", "bold")
        self.story.say(f"  model: {self.who}")
        if self.files:
            self.story.say(f"  files: the MCP server @modelcontextprotocol/server-filesystem {self.files.version}")
        self.story.say()
        self.start_server()
        self.story.tell("server", f"perdure serve, {self.server.url}, data in {self.folder / '.perdure'}", "dim")
        self.submit()
        self.kill_in_tools()
        if self.why_ended is None:
            self.kill_in_model()
        if self.why_ended is None:
            self.until(self.follower.ended.is_set)
        task = self.server.call("GET", f"/v1/tasks/{self.task}")
        self.story.tell("task", task["status"], "green" if task["status"] == "completed" else "red")
        self.why_ended = self.why_ended or self.follower.why_ended
        return Report(self, task).show()

    def close(self):
        self.office.release()
        if self.server is not None:
            self.server.stop()
        self.office.close()
        self.kept.close()


def say_what_next(story, binary):
    story.say(f"""
  What to try next
    an agent of your own            docs/guide/first-agent.md
    the files of this demo          examples/demo
    what is promised, exactly       docs/guarantees.md
    all commands                    {binary} --help
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--keep", type=Path, help="a new folder for the demo's data, which stays")
    parser.add_argument("--kept-model", action="store_true", help="replay, even if there is a key")
    parser.add_argument("--mcp", type=Path, metavar="MODULES",
                        help="messages and replies through the MCP file server in this node_modules")
    flags = parser.parse_args()
    if flags.keep is not None:
        flags.keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="perdure-demo-") as temporary:
        demo = Demo(flags.binary.resolve(), (flags.keep or Path(temporary)).resolve(),
                    flags.kept_model, flags.mcp.resolve() if flags.mcp else None)
        try:
            status = demo.run()
        finally:
            demo.close()
        say_what_next(demo.story, flags.binary)
        return status


if __name__ == "__main__":
    sys.exit(main())
