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
from server import Server
from story import Follower, Story

HERE = Path(__file__).resolve().parent
WAIT_S = 60        # for the kept conversation; a model that thinks may take longer
WAIT_MODEL_S = 300


def has_begun(events, tool):
    return any(e["type"] == "tool.intended" and e["data"].get("tool") == tool for e in events)


def requested(events):
    return sum(event["type"] == "model.requested" for event in events)


class Demo:
    def __init__(self, binary, folder, kept_only, modules):
        self.binary, self.folder = binary, folder
        self.story = Story()
        self.kills = 0
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

    def reaches(self, event):
        """True when it has happened; False if the task ends without it, or takes too long."""
        deadline = time.time() + self.wait_s
        while time.time() < deadline and not self.follower.ended.is_set():
            if event.wait(0.05):
                return True
        return event.is_set()

    def kill_in_refund(self):
        hold = self.office.holds["refund"]
        if self.reaches(hold.acted):
            self.restart("the ledger has booked the refund, its answer has not arrived", hold.released.set,
                         lambda events: has_begun(events, "refund"))

    def kill_in_voucher(self):
        hold = self.office.holds["send_voucher"]
        if not self.reaches(hold.acted):
            return
        self.restart("the voucher is out, the mailer's answer has not arrived", hold.released.set,
                     lambda events: has_begun(events, "send_voucher"))
        self.answer_doubt()

    def answer_doubt(self):
        """The mailer keeps no keys: whether the voucher went out is for a person to say."""
        task = self.server.call("GET", f"/v1/tasks/{self.task}?wait=30")
        while task["status"] not in ("input_required", "completed", "failed"):
            task = self.server.call("GET", f"/v1/tasks/{self.task}?wait=30")
        for interrupt in self.server.call("GET", "/v1/interrupts")["interrupts"]:
            if interrupt["reason"] != "uncertain_outcome":
                continue
            self.story.tell("you", f"look at the mailer: it has sent {len(self.office.vouchers)} voucher", "bold")
            answer = next(a for a in interrupt["answers"] if a["decision"] == "happened")
            self.story.tell("you", "$ " + answer["command"], "bold")
            words = shlex.split(answer["command"])
            subprocess.run([self.binary, *words[1:], "--data-dir", self.folder / ".perdure"], check=True,
                           stdout=subprocess.DEVNULL)

    def kill_in_model(self):
        if self.is_kept:
            if self.reaches(self.kept.speaking):
                self.restart("the model is in the middle of its answer", self.kept.released.set,
                             lambda events: requested(events) == len(self.kept.answers))
            return
        asked = requested(self.follower.events)
        deadline = time.time() + self.wait_s
        while time.time() < deadline and not self.follower.ended.is_set():
            if requested(self.follower.events) > asked:
                return self.restart("a model call is under way", lambda: None, lambda events: True)
            time.sleep(0.01)

    def run(self):
        self.story.say("\n  A refund desk that is killed three times\n", "bold")
        self.story.say(f"  model: {self.who}")
        if self.files:
            self.story.say(f"  files: the MCP server @modelcontextprotocol/server-filesystem {self.files.version}")
        self.story.say()
        self.start_server()
        self.story.tell("server", f"perdure serve, {self.server.url}, data in {self.folder / '.perdure'}", "dim")
        self.submit()
        self.kill_in_refund()
        self.kill_in_voucher()
        self.kill_in_model()
        self.follower.ended.wait(self.wait_s)
        task = self.server.call("GET", f"/v1/tasks/{self.task}")
        self.story.tell("task", task["status"], "green" if task["status"] == "completed" else "red")
        return self.show_counts(task)

    def show_counts(self, task):
        office, events = self.office, self.follower.events
        answered = sum(event["type"] == "model.answered" for event in events)
        asked = requested(events)
        counts = [
            ("refund", office.received.get("refund", 0), len(office.refunds),
             f"idempotent: sent again, with the same key ({len(office.keys.get('refund', []))} key)"),
            ("send_voucher", office.received.get("send_voucher", 0), len(office.vouchers),
             "once: never sent again; the doubt was shown, and you answered it"),
            ("model", asked, answered,
             f"{asked - answered} answer was lost under way and asked for again: billed, and shown as an attempt"),
        ]
        if self.files:
            counts.append(self.count_files())
        self.story.say(f"\n  {'what the world outside counted':30}  received  applied", "bold")
        for what, received, applied, why in counts:
            self.story.say(f"  {what:30}  {received:8}  {applied:7}   {why}")
        usage = task["usage"]
        self.story.say(f"\n  cost {usage['cost_usd']:.6f} USD, {usage['model_calls']} model calls, "
                       f"{usage['tool_calls']} tool calls, {usage['input_tokens']} + {usage['output_tokens']} tokens; "
                       f"{self.kills} kills, {time.time() - self.story.begin:.1f} s")
        return self.verdict(task, counts)

    def count_files(self):
        sent = sum(event["type"] == "tool.intended" and event["data"]["tool"] == "files.write_file"
                   for event in self.follower.events)
        written = len(list((self.folder / "replies").iterdir()))
        return "files.write_file", sent, written, "repeat: the MCP server, started again after each kill"

    def verdict(self, task, counts):
        refund, voucher, model = counts[:3]
        kept = (task["status"] == "completed" and self.kills == 3 and refund[1:3] == (2, 1) and
                len(self.office.keys["refund"]) == 1 and voucher[1:3] == (1, 1) and model[1] == model[2] + 1 and
                {reply.name for reply in (self.folder / "replies").iterdir()} == {"ann.txt", "bob.txt"})
        if not self.is_kept:  # what another model asks for is its own business; what is promised is not
            kept = len(self.office.vouchers) == voucher[1] and len(self.office.refunds) <= refund[1]
        self.story.say("  As promised: nothing was lost, nothing was done twice." if kept else
                       "  THIS IS NOT WHAT WAS PROMISED: please report it.", "green" if kept else "red")
        return 0 if kept else 1

    def close(self):
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
