#!/usr/bin/env python3
"""Kills the server itself, at its crash points and at moments, under a client that repeats itself.

    serve_kill_test.py PERDURE [--kills N] [--seed S] [--plant BUG]
    serve_kill_test.py PERDURE --controls

PERDURE is an instrumented build. The client submits over HTTP with idempotency keys and, after each
death, asks again with the same keys; receivers in this process count what arrives; a person answers
doubts by what they counted. Half of the tasks are scripts, half are agents on models of three dialects,
with tools over HTTP and MCP. In the end every task that was acknowledged is there, under its first id,
and has ended, and nothing that must not be repeated was: no call, and no answer of a model that the
server had.

A control plants a bug in the server, and fails unless the run finds what that bug does.
"""
import argparse
import collections
import contextlib
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from receivers import STDIO_SERVER, Receivers

KILLS_A_DIRECTORY = 8
STDIO_SHARE = 0.25  # of the directories have an MCP server that starts and dies with the server
LARGE_BYTES = 300 * 1024  # beyond what stands in a frame
# Checkpoints come after more work than one of these lives does; the kill rig has many.
UNREACHED = ("store.before_checkpoint", "store.after_checkpoint")
REQUIRED = ("http.before_response", "engine.before_commit", "engine.after_commit",
            "engine.before_release", "engine.after_release", "engine.outcome_received",
            "engine.before_recover", "engine.after_recover", "store.opened",
            "store.in_transaction", "blob.before_rename", "blob.after_rename")


# Planted bugs, and what shows them: a task that is gone, a second request, a second task for a key.
# A model that is asked again shows in a run by luck of timing: what notices it has a control of its own.
CONTROLS = {"ack_before_durable": "lost:", "resend_once": "repeated:",
            "key_from_arguments": "repeated:", "idempotency_row_apart": "lost:|submissions:"}
CONTROL_KILLS = 200


RETRY = 'retry = { max_attempts = 400, backoff = "2ms", backoff_max = "20ms" }'
MORE = {"read": "", "once": "irreversible = true", "idempotent": 'irreversible = true\nhorizon = "1h"'}
MODELS = {"chat": ("openai-chat", "/v1"), "messages": ("anthropic", ""), "responses": ("openai-responses", "/v1")}


def configuration(receivers, with_stdio):
    url = f"http://127.0.0.1:{receivers.server_address[1]}"
    tables = []
    for name, more in MORE.items():
        tables.append(f"""[tools.{name}]
effect = "{name}"
approval = "never"
allow_private = true
{more}
http = {{ method = "POST", url = "{url}/{name}" }}
{RETRY}""")
    for name, (provider, path) in MODELS.items():
        tables.append(f"""[models.{name}]
provider = "{provider}"
base_url = "{url}{path}"
model = "m"
allow_private = true
{RETRY}""")
    tables.append(f'[mcp.far]\nurl = "{url}/mcp"\nallow_private = true\n' + contracts("far"))
    if with_stdio:
        here, calls = os.path.dirname(STDIO_SERVER), receivers.stdio
        tables.append("[mcp.near]\n" + "".join(
            f"{name} = {json.dumps(value)}\n" for name, value in (
                ("command", [sys.executable, "-B"]), ("args", [STDIO_SERVER, calls]),
                ("readable", [here, sys.base_prefix, sys.prefix]), ("writable", [calls]))) + contracts("near"))
    tables.append('[agents]\nworker = { planner = "script" }\n' +
                  "".join(f'{name} = "{name}.toml"\n' for name in MODELS))
    return "\n".join(tables)


def contracts(server):
    return "".join(f"[mcp.{server}.{name}.{name}]\napproval = \"never\"\n{more}\n{RETRY}\n"
                   for name, more in MORE.items())


def plan(dice, job, with_stdio):
    """What a model says to that: rounds of calls. No two calls are alike."""
    places = ["", "", "far__"] + (["near__"] if with_stdio else [])
    rounds = [[(dice.choice(places) + dice.choice(list(MORE)), {"round": round_, "call": call})
               for call in range(dice.randint(1, 3))] for round_ in range(dice.randint(1, 3))]
    return {"job": job, "rounds": rounds}


def script(dice):
    calls = [{"call": {"step": f"s{i}", "tool": dice.choice(["read", "idempotent", "once"]),
                       "args": {"i": i}}} for i in range(dice.randint(1, 4))]
    steps = [item["call"]["step"] for item in calls]
    items = calls + [{"await": {"all": [{"step": step} for step in steps]}}]
    if dice.random() < 0.4:
        items += [{"timer": {"id": "t", "after_ms": 15}}, {"await": {"timer": "t"}}]
    if dice.random() < 0.3:
        items += [{"note": {"filler": "x" * LARGE_BYTES}}]
    items += [{"call": {"step": "last", "tool": "once", "args": {}}}, {"await": "last"}]
    return {"script": items + [{"complete": {step: {"$result": step} for step in steps}}]}


class Gone(Exception):
    """The server died under the request."""


class Server:
    def __init__(self, program, folder, point=None, plant=None):
        env = {key: value for key, value in os.environ.items() if not key.startswith("PERDURE_")}
        if point:
            env["PERDURE_CRASH_AT"] = point
        if plant:
            env["PERDURE_PLANT"] = plant
        self.data = os.path.join(folder, "data")
        self.errors = open(os.path.join(folder, "server.log"), "ab")
        self.process = subprocess.Popen(
            [program, "serve", "--config", os.path.join(folder, "perdure.toml"), "--data-dir",
             self.data, "--listen", "127.0.0.1:0"],
            env=env, stdout=subprocess.PIPE, stderr=self.errors)
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline().decode() if ready else ""
        self.port = int(line.rsplit(":", 1)[1]) if line.startswith("listening") else None
        if self.port:
            with open(os.path.join(self.data, "token")) as token:
                self.token = token.read().strip()

    def request(self, method, path, body=None, **headers):
        if not self.port:
            raise Gone()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            headers["authorization"] = "Bearer " + self.token
            if body is not None:
                headers["content-type"] = "application/json"
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError):
                raise
            raise Gone() from error
        finally:
            connection.close()

    def died(self, within_s):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(within_s)
        return self.process.poll() is not None

    def end(self):
        """True if a SIGKILL that this call did not send ended it."""
        by_itself = self.process.poll()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        return by_itself == -signal.SIGKILL


class Directory:
    """One data directory: what was submitted to it, and what was acknowledged."""

    def __init__(self, program, folder, receivers, dice, name, plant):
        self.with_stdio = dice.random() < STDIO_SHARE
        self.program, self.folder, self.receivers, self.dice = program, folder, receivers, dice
        self.name, self.plant = name, plant
        self.submissions, self.tasks, self.problems = {}, {}, []
        os.makedirs(folder)
        with open(os.path.join(folder, "perdure.toml"), "w") as config:
            config.write(configuration(receivers, self.with_stdio))
        for model in MODELS:
            with open(os.path.join(folder, model + ".toml"), "w") as agent:
                agent.write(f'name = "{model}"\nmodel = "{model}"\ntools = ["*"]\ninstructions = "Do it."\n')

    def make_job(self, key):
        if self.dice.random() < 0.5:
            return {"agent": "worker", "input": script(self.dice)}
        return {"agent": self.dice.choice(list(MODELS)), "input": plan(self.dice, key, self.with_stdio)}

    def submit(self, server, key):
        status, answer = server.request("POST", "/v1/tasks", self.submissions[key], idempotency_key=key)
        if status not in (200, 202):
            return self.problems.append(f"{key}: {status} {answer}")
        before = self.tasks.setdefault(key, answer["id"])
        if before != answer["id"]:
            self.problems.append(f"lost: {key} was {before} and is now {answer['id']}")

    def live(self, point):
        """One life of the server. True if it was killed at `point`."""
        server = Server(self.program, self.folder, point, self.plant)
        try:
            for _ in range(3):
                key = f"{self.name}-{len(self.submissions)}"
                self.submissions[key] = self.make_job(key)
            for key in list(self.submissions):
                if key not in self.tasks or self.dice.random() < 0.3:
                    self.submit(server, key)
            self.answer_doubts(server)
            server.died(self.dice.uniform(0.02, 0.15))
        except Gone:
            server.died(5)
        return server.end()

    def answer_doubts(self, server):
        _, inbox = server.request("GET", "/v1/interrupts?limit=100")
        self.receivers.take_stdio()
        for question in inbox["interrupts"]:
            if question["reason"] != "uncertain_outcome":
                self.problems.append(f"asked about {question['reason']}")
                continue
            happened = self.receivers.executed[question["action"]["key"]] > 0
            body = {"decision": "happened", "result": "asserted"} if happened else \
                {"decision": "not_happened"}
            status, answer = server.request(
                "POST", f"/v1/interrupts/{question['id']}/resolve", body)
            if status != 200:
                self.problems.append(f"{question['id']}: {status} {answer}")

    def check_result(self, task, view):
        """What a model was told in the end: one outcome of each call, and none that nobody gave."""
        key = next(key for key, id_ in self.tasks.items() if id_ == task)
        job = self.submissions[key]
        if job["agent"] == "worker":
            return
        self.receivers.take_stdio()
        told = json.loads(view["result"]["text"])
        if [len(round_) for round_ in told] != [len(round_) for round_ in job["input"]["rounds"]]:
            self.problems.append(f"lost: {task} was told {told}")
        for outcome in (outcome for round_ in told for outcome in round_):
            executed = re.search(r"executed\W+(\w+)", outcome)
            by_person = "asserted" in outcome or "A person has checked: the call did not take effect" in outcome
            if not self.receivers.executed[executed[1]] if executed else not by_person:
                self.problems.append(f"wrong: {task} was told {outcome}")

    def finish(self):
        """Lets everything end, and judges."""
        server = Server(self.program, self.folder, None, self.plant)
        if not server.port:
            with open(os.path.join(self.folder, "server.log")) as log:
                self.problems.append("it does not start: " + log.read()[-400:])
            return server.end()
        for key in self.submissions:
            self.submit(server, key)
        deadline, open_tasks = time.monotonic() + 60, set(self.tasks.values())
        while open_tasks and time.monotonic() < deadline:
            self.answer_doubts(server)
            for task in sorted(open_tasks):
                # Waits on the server's side: no more than until the next doubt may have come.
                status, view = server.request("GET", f"/v1/tasks/{task}", prefer="wait=1")
                if status != 200:
                    self.problems.append(f"lost: {task}: {status} {view}")
                if status == 200 and view["status"] == "completed":
                    self.check_result(task, view)
                if status != 200 or view["status"] == "completed":
                    open_tasks.discard(task)
                elif view["status"] in ("failed", "cancelled"):
                    self.problems.append(f"{task}: {view}")
                    open_tasks.discard(task)
                elif view["status"] == "input_required":
                    break
        for task in sorted(open_tasks):
            _, view = server.request("GET", f"/v1/tasks/{task}")
            _, journal = server.request("GET", f"/v1/tasks/{task}/journal")
            last = [(r["type"], r.get("step"), r.get("outcome")) for r in journal["records"][-6:]]
            self.problems.append(f"{task} does not end: {last}; {view}")
        server.process.terminate()
        if server.process.wait(30) != 0:
            self.problems.append("the server did not end in order")
        server.end()
        doctor = subprocess.run([self.program, "doctor", server.data], capture_output=True, text=True)
        if doctor.returncode != 0:
            self.problems.append("doctor: " + doctor.stdout + doctor.stderr)
        counted = doctor.stdout.rsplit("\n", 2)[-2]
        if not counted.startswith(f"{len(self.submissions)} tasks,"):
            self.problems.append(f"{len(self.submissions)} submissions: {counted}")


class Campaign:
    def __init__(self, program, seed, plant=None):
        self.program, self.plant = os.path.abspath(program), plant
        self.listed = subprocess.run([program, "crash-points"], check=True, capture_output=True,
                                     text=True).stdout.split()
        self.dice = random.Random(seed)
        self.seed, self.receivers = seed, None
        self.kills, self.lives, self.tasks = 0, 0, 0
        self.at_points, self.problems = collections.Counter(), []

    def run(self, kills):
        """Until so many are killed, or something is wrong."""
        points = [point for point in self.listed if point not in UNREACHED]
        with tempfile.TemporaryDirectory(prefix="perdure-kill-") as scratch:
            self.receivers = Receivers(self.seed, scratch)
            threading.Thread(target=self.receivers.serve_forever, daemon=True).start()
            while self.kills < kills and self.lives < 4 * kills and not self.problems:
                directory = Directory(self.program, f"{scratch}/{self.lives}", self.receivers,
                                      self.dice, f"k{self.lives}", self.plant)
                for _ in range(KILLS_A_DIRECTORY):
                    point = points[self.lives % len(points)]
                    hit = 1 if self.lives < 2 * len(points) else self.dice.choice([1, 2, 3, 5, 8])
                    self.lives += 1
                    self.at_points[point] += directory.live(f"{point}:{hit}")
                    self.kills += 1  # a life that did not come to its point was ended at a moment
                directory.finish()
                self.tasks += len(directory.tasks)
                self.problems += directory.problems + self.receivers.repeated()
                shutil.rmtree(directory.folder)  # or a long campaign fills the disk
        self.receivers.shutdown()

    def report(self):
        print(f"{self.kills} kills ({sum(self.at_points.values())} at named points), "
              f"{self.tasks} tasks, {sum(self.receivers.received.values())} requests, "
              f"{len(self.problems)} problems")
        print("  by " + ", ".join(f"{name} {count}" for name, count in sorted(self.receivers.asked.items())))
        for point in self.listed:
            print(f"  {point:<26}{self.at_points[point]:>4}")


def run_controls(program, seed):
    return 0 if all([notices_a_second_bill(), *(shows(program, seed, *control) for control in CONTROLS.items())]) else 1


def notices_a_second_bill():
    with tempfile.TemporaryDirectory(prefix="perdure-kill-") as scratch, Receivers(1, scratch) as receivers:
        for round_ in (0, 0, 1):  # the second may follow a death of the server
            receivers.ask("Chat", "job", round_)
        before = receivers.repeated()
        receivers.ask("Chat", "job", 0)
        after = receivers.repeated()
    print(f"control a round asked again: {after[0] if after else 'NOT SEEN'}")
    return not before and len(after) == 1


def shows(program, seed, bug, wanted):
    """A run ends with the first problem; the bug may show itself as something else at first."""
    for attempt in range(3):
        campaign = Campaign(program, seed + attempt, bug)
        campaign.run(CONTROL_KILLS)
        seen = [problem for problem in campaign.problems if re.search(wanted, problem)]
        shown = seen[0][:100] if seen else f"NOT SEEN, but {campaign.problems[:3]}"
        print(f"control {bug:<22} after {campaign.kills:>3} kills: {shown}", flush=True)
        if seen:
            return True
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=48)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", help="a bug")
    parser.add_argument("--controls", action="store_true", help="planted bugs must be found")
    options = parser.parse_args()
    if options.controls:
        return run_controls(options.program, options.seed)
    campaign = Campaign(options.program, options.seed, options.plant)
    campaign.run(options.kills)
    campaign.report()
    problems = campaign.problems
    missing = [point for point in REQUIRED if not campaign.at_points[point]]
    if options.kills >= 40 and missing:
        problems.append("nothing was killed at " + ", ".join(missing))
    for problem in problems[:10]:
        print("FAILED:", problem[:500])
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
