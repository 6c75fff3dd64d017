#!/usr/bin/env python3
"""One task, and the server killed in the middle of a refund: run.py PERDURE_BINARY

Starts a server with an agent, submits a task, and kills the server with SIGKILL at the worst instant:
the shop has refunded, its answer has not arrived. Then starts it again on the same data, and shows what
the journal says and what the shop counted.
"""
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from outside import Outside

HERE = Path(__file__).resolve().parent
WAIT_S = 30


class Server:
    """A running perdure; its token is read from the data directory, as the operator's tools do."""

    def __init__(self, binary, config, data_dir):
        self.log = open(data_dir.parent / "server.log", "ab")
        self.process = subprocess.Popen(
            [binary, "serve", "--config", config, "--data-dir", data_dir, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.wait()
            sys.exit("the server did not start:\n" + (data_dir.parent / "server.log").read_text())
        self.url = line.split()[-1]
        self.token = (data_dir / "token").read_text().strip()

    def kill(self):
        self.process.kill()  # SIGKILL: no handler runs, nothing is flushed
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def call(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", "Bearer " + self.token)
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        with urllib.request.urlopen(request, timeout=WAIT_S + 10) as response:
            return json.load(response)


def say(text):
    print(text, flush=True)


def show_journal(records):
    """One line a record; a step is its turn and its call."""
    names = {}
    say("\n  the journal:")
    for record in records:
        if "name" in record and record.get("step"):
            names[record["step"]] = record["name"]
        words = [names.get(record.get("step"), "")]
        words += [f"{key} {record[key]}" for key in ("outcome", "status", "attempt") if key in record]
        say(f"  {record['seq']:4}  {record['type']:16}  {'  '.join(words)}".rstrip())


def run(binary, folder):
    outside = Outside()
    shutil.copytree(HERE, folder / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    config = folder / "config" / "perdure.toml"
    config.write_text(config.read_text().replace(":7801/", f":{outside.port}/"))
    data_dir = folder / "data"
    server = Server(binary, config, data_dir)
    try:
        say(f"server 1 listens on {server.url}")
        task = server.call("POST", "/v1/tasks",
                           {"agent": "refunds", "input": "order 42 arrived broken"},
                           {"Idempotency-Key": "example-1"})
        say(f"task {task['id']} accepted")
        if not outside.first_refund.wait(WAIT_S):
            sys.exit("the refund did not reach the shop")
        say(f"the shop has refunded order 42 ({outside.model_calls} model calls so far); "
            "its answer is on its way ...")
        server.kill()
        outside.may_answer.set()
        say("server 1 killed (SIGKILL)")

        server = Server(binary, config, data_dir)
        say(f"server 2 listens on {server.url}")
        task = server.call("GET", f"/v1/tasks/{task['id']}?wait={WAIT_S}")
        records = server.call("GET", f"/v1/tasks/{task['id']}/journal?limit=1000")["records"]
        say(f"task {task['id']} {task['status']}: {task.get('result')}")
        show_journal(records)
    finally:
        server.stop()
        outside.close()
    say(f"\n  model calls: {outside.model_calls}   refund requests: {len(outside.refund_requests)}, "
        f"with {len(set(outside.refund_requests))} key   refunds: {len(outside.refunds)}")
    as_promised = (task["status"] == "completed" and outside.model_calls == 3 and
                   len(outside.refunds) == 1 and len(outside.refund_requests) == 2)
    say("  " + ("No model call was repeated, and the refund happened once." if as_promised else
                "THIS IS NOT WHAT WAS PROMISED: please report it."))
    return 0 if as_promised else 1


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    with tempfile.TemporaryDirectory(prefix="perdure-") as folder:
        return run(Path(sys.argv[1]).resolve(), Path(folder))


if __name__ == "__main__":
    sys.exit(main())
