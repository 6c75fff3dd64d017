#!/usr/bin/env python3
"""How the server ends, and what it refuses to begin with: shutdown_test.py PERDURE_BINARY

A tool and a model that never answer keep calls open when the server is told to end. It must give them up
after its grace, cleanly: freed memory is filled with rubbish, so that whatever still uses it is seen.
"""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

BINARY = None
WAIT_S = 30
TOKEN = "a-token-of-some-length"
SCRIPT = {"script": [{"call": {"step": "ask", "model": "mute", "args": {
                        "messages": [{"role": "user", "content": "hello"}]}}},
                     {"call": {"step": "look", "tool": "mute", "args": {}}},
                     {"await": {"all": ["ask", "look"]}}, {"complete": 1}]}


def config(port, extra=""):
    return f"""
[server]
drain = "300ms"
{extra}
[models.mute]
provider = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
model = "mute"
price_per_mtok = {{input = 1.0, output = 1.0}}
allow_private = true
[tools.mute]
effect = "read"
http = {{method = "GET", url = "http://127.0.0.1:{port}/"}}
allow_private = true
[agents.play]
planner = "script"
"""


class Shutdown(unittest.TestCase):
    def setUp(self):
        self.mute = socket.create_server(("127.0.0.1", 0))
        self.mute.settimeout(WAIT_S)
        self.addCleanup(self.mute.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.data = self.folder / "data"

    def start(self, listen="127.0.0.1:0", extra="", soft_limit=None):
        file = self.folder / "perdure.toml"
        file.write_text(config(self.mute.getsockname()[1], extra))

        def limit():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft_limit or hard, hard))

        process = subprocess.Popen(
            [BINARY, "serve", "--config", file, "--data-dir", self.data, "--listen", listen],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit,
            env=dict(os.environ, MALLOC_PERTURB_="165", TEST_TOKEN=TOKEN, SHORT_TOKEN="short"))
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def url_of(self, process):
        line = process.stdout.readline()
        self.assertTrue(line.startswith("listening on "), line or process.stderr.read())
        return line.split()[-1]

    def submit(self, url):
        request = urllib.request.Request(url + "/v1/tasks", method="POST", data=json.dumps(
            {"agent": "play", "input": SCRIPT}).encode())
        request.add_header("Authorization", "Bearer " + (self.data / "token").read_text().strip())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=WAIT_S) as response:
            return json.load(response)["id"]

    def test_ends_while_calls_are_open(self):
        process = self.start()
        url = self.url_of(process)
        for _ in range(20):
            self.submit(url)
        callers = [self.mute.accept()[0] for _ in range(40)]
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)
        for caller in callers:
            caller.close()
        log = process.stderr.read()
        self.assertEqual(process.returncode, 0, log)
        self.assertNotIn("Sanitizer", log)

    def test_a_taken_port_is_said_and_nothing_else_happens(self):
        taken = "127.0.0.1:%d" % self.mute.getsockname()[1]
        process = self.start(listen=taken)
        process.wait(WAIT_S)
        log = process.stderr.read()
        self.assertEqual(process.returncode, 75, log)
        self.assertIn(taken, log)

    def test_has_all_descriptors_that_it_may_have(self):
        process = self.start(soft_limit=64)
        self.url_of(process)
        limits = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
        soft, hard = next(line for line in limits if line.startswith("Max open files")).split()[3:5]
        self.assertEqual(soft, hard)

    def test_a_token_is_long_and_of_one_only(self):
        tokens = '[tokens.a]\ntoken = "env:TEST_TOKEN"\nscopes = ["run"]\n'
        for extra, words in (
                ('[tokens.short]\ntoken = "env:SHORT_TOKEN"\nscopes = ["run"]\n', "tokens.short"),
                (tokens + '[tokens.b]\ntoken = "env:TEST_TOKEN"\nscopes = ["approve"]\n', "tokens.b")):
            process = self.start(extra=extra)
            process.wait(WAIT_S)
            self.assertEqual(process.returncode, 1)
            self.assertIn(words, process.stderr.read())

    def test_listening_to_everybody_in_clear_is_warned_of(self):
        process = self.start(listen="0.0.0.0:0")
        self.url_of(process)
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)
        self.assertIn("server.listens_in_clear", process.stderr.read())


if __name__ == "__main__":
    BINARY = str(Path(sys.argv.pop(1)).resolve())
    unittest.main()
