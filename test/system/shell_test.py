"""Commands of a model in a sandbox: what they can do, what they cannot reach, how they end, and what
becomes of them when the server dies."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import uuid

import answers
from case import SystemTest, agent, model

SANDBOX = ["bwrap", "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "--proc", "/proc", "true"]


def why_no_sandbox():
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    tried = subprocess.run(SANDBOX, capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode != 0 else ""


WHY_NOT = why_no_sandbox()


def processes(mark):
    """Those that name `mark` in their command line."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            pass
    return found


class ShellCase(SystemTest):
    def config(self, tool=None, **shell):
        shell = {"workspace": "work", **shell}
        return {"models": {"main": model(self.world)},
                "tools": {"sh": {"shell": shell, "retry": {"max_attempts": 1}, **(tool or {})}}}

    def prepare(self, config=None, env=None):
        served = self.server(config or self.config(), {"dev": agent()}, env, start=False)
        self.work = served.folder / "work"
        self.work.mkdir()
        return served

    def submit(self, command, **args):
        self.world.rules(answers.calls(("c1", "sh", {"command": command, **args}), round=0),
                         answers.says("Done.", round=1))
        self.wish = f"wish {uuid.uuid4()}"
        return self.served.api.submit("dev", self.wish)

    def told(self, task):
        """What the model was told of the call, as it stands before its last answer."""
        self.served.api.wait(task, "completed")
        return json.loads(self.model_bodies(self.wish)[-1])["messages"][-1]["content"]

    def run_command(self, command, **args):
        text = self.told(self.submit(command, **args))
        return text if not text.startswith("{") else json.loads(text)


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Shell(ShellCase):
    def setUp(self):
        self.served = self.prepare().start()

    def test_runs_in_its_workspace_and_asks_nobody(self):
        told = self.run_command("pwd; echo hello > file; echo careful >&2")
        self.assertEqual(told, {"exit_code": 0, "stdout": f"{self.work}\n", "stderr": "careful\n"})
        self.assertEqual((self.work / "file").read_text(), "hello\n")

    def test_an_exit_status_is_a_definite_failure(self):
        told = self.run_command("echo so far; exit 3")
        self.assertTrue(told.startswith("The call failed. Reason: exit status 3\n{"), told)
        self.assertEqual(json.loads(told.split("\n", 1)[1]),
                         {"exit_code": 3, "stdout": "so far\n", "stderr": ""})

    def test_the_same_command_may_be_wished_for_again(self):
        command = {"command": "echo again >> count"}
        self.world.rules(answers.calls(("c1", "sh", command), round=0),
                         answers.calls(("c2", "sh", command), round=1), answers.says("Done.", round=2))
        self.served.api.wait(self.served.api.submit("dev", "twice"), "completed")
        self.assertEqual((self.work / "count").read_text(), "again\nagain\n")

    def test_finds_neither_token_nor_server_nor_other_files(self):
        data, port = self.served.data, self.served.url.rsplit(":", 1)[1]
        told = self.run_command(
            f"cat {data}/token {data}/address {self.served.folder}/perdure.toml /etc/shadow;"
            "find / \\( -path /usr -o -path /proc \\) -prune -o \\( -name token -o -name perdure.toml \\) -print;"
            "cat /proc/[0-9]*/environ | tr '\\0' '\\n';"
            f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected'; ls -A /root /home; true")
        self.assertNotIn(self.served.token, told["stdout"])
        names = {line.split("=")[0] for line in told["stdout"].splitlines()}
        self.assertLessEqual(names, {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "_", "SHLVL"})

    def test_writes_nowhere_else(self):
        told = self.run_command("touch /x /usr/x /etc/x /var/x; cp /bin/true ../x; ls ..; true")
        self.assertEqual(len(told["stderr"].splitlines()), 4, told)
        self.assertFalse((self.served.folder / "x").exists(), "what lies under /tmp is its own")

    def test_is_killed_when_its_time_is_over_and_may_have_acted(self):
        command = {"command": f"echo paid >> ledger; sleep 60; : {self.served.folder}", "timeout_s": 2}
        self.world.rules(answers.calls(("c1", "sh", command), round=0),
                         answers.calls(("c2", "sh", command), round=1), answers.says("Done.", round=2))
        task = self.served.api.submit("dev", "pay")
        self.served.api.wait(task, "input_required")
        question = self.only(self.served.api.inbox(task))
        self.assertEqual(question["reason"], "uncertain_outcome")
        self.assertIn("killed after 2000 ms", json.dumps(question))
        self.assertEqual((self.work / "ledger").read_text(), "paid\n", "never run again by itself")
        self.assertEqual(processes(f": {self.served.folder}"), [])

    def test_what_it_leaves_behind_is_killed(self):
        self.run_command(f"sh -c 'sleep 60; : {self.served.folder}' >/dev/null 2>&1 & echo left")
        self.assertEqual(processes(f": {self.served.folder}"), [])

    def test_wrong_arguments_run_nothing(self):
        for args in ({"timeout_s": 1e6}, {"timeout_s": "long"}, {"cwd": "/"}):
            with self.subTest(args):
                told = self.run_command("touch ran", **args)
                self.assertIn("the arguments do not fit the input schema of 'sh'", told)
        self.assertFalse((self.work / "ran").exists())


@unittest.skipIf(WHY_NOT, WHY_NOT)
class ShellLimits(ShellCase):
    def test_memory_files_and_output_are_bounded(self):
        config = self.config({"max_output": 1000}, memory_mb=100, cpu_seconds=1)
        self.served = self.prepare(config).start()
        told = self.run_command("head -c 300000000 /dev/zero | tail >/dev/null; echo ${?}")
        self.assertEqual(told["stdout"], "1\n")
        self.assertIn("memory exhausted", told["stderr"])
        told = self.run_command("yes 123456789 | head -n 100000")
        self.assertEqual(told["stdout"], "123456789\n" * 100)
        self.assertIs(told["truncated"], True)
        told = self.run_command("while :; do :; done")
        self.assertIn("The call failed. Reason: exit status 137", told)

    def test_so_many_run_at_once_and_tenants_take_turns(self):
        config = self.config({"effect": "repeat"}, memory_mb=100)
        config["sandbox"] = {"at_once": 2, "memory_mib": 1000}
        config["tokens"] = {"bob": {"token": "env:BOB", "scopes": ["run"], "tenant": "other"}}
        bob = "token-of-bob-0123456789abcdef"
        self.served = self.prepare(config, {"BOB": bob}).start()
        # Each tells when it begins and when it ends.
        command = "echo begin >> log; sleep 0.3; echo end >> log; echo {} >> order"
        many = [(f"c{n}", "sh", {"command": command.format(n)}) for n in range(8)]
        self.world.rules(answers.calls(*many, round=0, contains="wish of ann"),
                         answers.calls(("c1", "sh", {"command": command.format("bob")}), round=0, contains="wish of bob"),
                         answers.says("Done.", round=1))
        task = self.served.api.submit("dev", "wish of ann")
        deadline = time.monotonic() + 20
        while not (self.work / "log").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        mine, self.served.api.token = self.served.api.token, bob
        other = self.served.api.submit("dev", "wish of bob")
        self.served.api.wait(other, "completed")
        self.served.api.token = mine
        self.served.api.wait(task, "completed")
        running = most = 0
        for line in (self.work / "log").read_text().split():
            running += 1 if line == "begin" else -1
            most = max(most, running)
        self.assertEqual(most, 2)
        order = (self.work / "order").read_text().split()
        self.assertEqual(len(order), 9)
        self.assertLess(order.index("bob"), 6, order)

    def test_what_waits_when_the_server_stops_is_not_in_doubt(self):
        config = self.config({"retry": {"max_attempts": 3, "backoff": "10ms"}}, memory_mb=100)
        config["sandbox"] = {"at_once": 1, "memory_mib": 1000}
        config["server"] = {"drain": "1s"}
        self.served = self.prepare(config).start()
        os.mkfifo(self.work / "begun")
        first = self.submit(f"echo x > begun; sleep 60; : {self.served.folder}")
        with open(self.work / "begun") as reader:
            reader.read()
        second = self.submit("echo second >> ran")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not any(
                record["type"] == "step_intended" and record["step"].startswith("t")
                for record in self.served.api.journal(second)):
            time.sleep(0.01)
        self.assertEqual(self.served.stop(), 0)
        self.assertFalse((self.work / "ran").exists())
        self.served.start()
        self.served.api.wait(second, "completed")
        self.assertEqual((self.work / "ran").read_text(), "second\n")
        self.served.api.wait(first, "input_required")
        self.assertEqual(self.only(self.served.api.inbox())["reason"], "uncertain_outcome")

    def test_no_command_begins_on_a_full_disk(self):
        self.served = self.prepare()
        free = self.served.folder / "free"
        free.write_text(str(100 << 20))
        self.served.env["PERDURE_FREE_BYTES"] = str(free)
        config = self.config({"retry": {"max_attempts": 2, "backoff": "10ms"}})
        config["server"] = {"disk_reserve_mib": 64}
        self.served.configure(config, {"dev": agent()})
        self.served.start()
        self.assertEqual(self.run_command("echo yes")["stdout"], "yes\n")
        asked = answers.call_chunks(("c1", "sh", {"command": "echo no > ran"}))
        self.world.rules({"path": answers.MODEL_PATH, "round": 0, "steps": answers.stream(asked, hold="full")},
                         answers.says("Done.", round=1))
        self.wish = "a command on a full disk"
        task = self.served.api.submit("dev", self.wish)
        self.world.wait_held("full")
        free.write_text(str(1 << 20))
        self.world.release("full")
        self.assertIn("not executed after 2 attempts", self.told(task))
        self.assertIn("1 MiB left", json.dumps(self.served.api.journal(task)))
        self.assertFalse((self.work / "ran").exists())

    def test_a_file_is_bounded(self):
        self.served = self.prepare(self.config(file_mb=1)).start()
        told = self.run_command("head -c 3000000 /dev/zero > big; echo ${?}; stat -c %s big")
        self.assertEqual(told["stdout"].split()[-1], str(1 << 20))

    def test_what_may_run_again_has_failed_when_its_time_is_over(self):
        self.served = self.prepare(self.config({"effect": "repeat"})).start()
        told = self.told(self.submit("echo begun; sleep 60", timeout_s=2))
        self.assertTrue(told.startswith("The call failed. Reason: killed after 2000 ms"), told)
        self.assertEqual(json.loads(told.split("\n", 1)[1]), {"stdout": "begun\n", "stderr": ""})

    def test_secrets_of_the_environment_are_masked(self):
        config = self.config(environment={"DEPLOY_KEY": "{{secret:deploy}}"})
        config["secrets"] = {"deploy": "env:DEPLOY"}
        self.served = self.prepare(config, {"DEPLOY": "kq2-81jd-secret"}).start()
        told = self.run_command('echo "$DEPLOY_KEY"; printf %s "$DEPLOY_KEY" | base64')
        self.assertEqual(told["stdout"], "{{secret:deploy}}\n{{secret:deploy}}\n")

    def test_with_the_network_it_still_has_no_token(self):
        config = self.config({"irreversible": True, "approval": "never"}, network=True,
                             command=["/bin/bash", "-c"])
        self.served = self.prepare(config).start()
        port = self.served.url.rsplit(":", 1)[1]
        told = self.run_command(
            f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'POST /v1/interrupts/x/resolve HTTP/1.1\\r\\n"
            f"Host: 127.0.0.1:{port}\\r\\nContent-Type: application/json\\r\\nContent-Length: 22\\r\\n"
            "Connection: close\\r\\n\\r\\n{\"decision\":\"approve\"}' >&3; head -n 1 <&3;"
            f"cat {self.served.data}/token")
        self.assertIn("HTTP/1.1 401", told)
        self.assertNotIn(self.served.token, told)


class ShellStart(ShellCase):
    """A shell that cannot run as configured is told at the start, and never runs in another way."""

    def refused(self, config, env=None):
        served = self.prepare(config, env)
        with self.assertRaises(AssertionError) as raised:
            served.start()
        return str(raised.exception)

    def test_without_a_sandbox(self):
        empty = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, empty)
        why = self.refused(self.config(), {"PATH": empty})
        self.assertIn("tools.sh.shell: there is no sandbox", why)
        self.assertIn("install the package bubblewrap", why)
        self.served = self.prepare(
            self.config({"irreversible": True, "approval": "never"}, unsafe_same_user=True),
            {"PATH": empty}).start()
        self.assertEqual(self.run_command("echo unsafe")["stdout"], "unsafe\n")
        self.assertIn("unsafe_same_user", self.served.log_text())

    def test_places_that_it_must_not_have(self):
        if WHY_NOT:
            self.skipTest(WHY_NOT)
        for unsafe in (False, True):
            more = {"unsafe_same_user": unsafe}
            tool = {"irreversible": True}
            for what, shell in (("the data directory", {"workspace": "data"}),
                                ("a folder above it", {"workspace": "."}),
                                ("to read it", {"readable": ["data"]}),
                                ("the operator's file", {"readable": ["perdure.toml"]}),
                                ("the whole machine", {"readable": ["/"]}),
                                ("what is not there", {"workspace": "none"})):
                with self.subTest(what, unsafe=unsafe):
                    why = self.refused(self.config(tool, **{**shell, **more}))
                    self.assertIn("tools.sh.shell: ", why)

    def test_mistakes_in_the_file(self):
        cases = [
            ({}, {"worspace": "work"}, "did you mean 'workspace'"),
            ({}, {"command": ["sh", "-c"]}, "absolute path"),
            ({}, {"command": "sh"}, "tools.sh.shell.command"),
            ({}, {"timeout": "0s"}, "tools.sh.shell.timeout"),
            ({}, {"memory_mb": 0}, "tools.sh.shell.memory_mb"),
            ({}, {"environment": {"A": 1}}, "tools.sh.shell.environment"),
            ({}, {"network": True}, "tools.sh.irreversible"),
            ({}, {"unsafe_same_user": True}, "tools.sh.irreversible"),
            ({"effect": "idempotent", "horizon": "1h"}, {}, "tools.sh.effect"),
            ({"http": {"url": "http://x.example/"}}, {}, "expected one of http"),
            ({"timeouts": {}}, {}, "unknown"),
        ]
        for tool, shell, text in cases:
            with self.subTest(text):
                self.assertIn(text, self.refused(self.config(tool, **shell)))


@unittest.skipIf(WHY_NOT, WHY_NOT)
class ShellKilled(ShellCase):
    """SIGKILL to the server in the middle of a command."""

    def kill_in_the_middle(self, **tool):
        self.served = self.prepare(self.config(tool)).start()
        fifo = self.work / "begun"
        os.mkfifo(fifo)
        # The writer waits for a reader: when we have read, it is in the middle.
        command = f"echo ran >> count; echo x > begun; sleep 60; : {self.served.folder}"
        task = self.submit(command)
        with open(fifo) as reader:
            reader.read()
        mark = f": {self.served.folder}"
        self.assertNotEqual(processes(mark), [])
        self.served.kill()
        deadline = time.monotonic() + 10
        while processes(mark) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(processes(mark), [], "a command outlives the server")
        return task

    # row: in the middle of a sandboxed command
    def test_the_command_is_dead_and_the_task_is_in_doubt(self):
        task = self.kill_in_the_middle()
        self.served.start()
        self.served.api.wait(task, "input_required")
        question = self.only(self.served.api.inbox(task))
        self.assertEqual(question["reason"], "uncertain_outcome")
        self.assertEqual(question["action"]["tool"], "sh")
        self.assertEqual((self.work / "count").read_text(), "ran\n")
        self.assertEqual(self.served.api.resolve(question["id"], "not_happened").status, 200)
        self.assertIn("did not take effect", self.told(task))
        self.assertEqual((self.work / "count").read_text(), "ran\n", "it is not run again")

    def test_a_repeatable_command_runs_again(self):
        task = self.kill_in_the_middle(effect="repeat", retry={"max_attempts": 3, "backoff": "10ms"})
        self.served.start()
        with open(self.work / "begun") as reader:
            reader.read()
        self.assertEqual((self.work / "count").read_text(), "ran\nran\n")
        self.assertEqual(self.served.api.inbox(task), [])
        self.served.api.post(f"/v1/tasks/{task}/cancel", {})
        self.served.api.wait(task, "cancelled")
        self.assertEqual(processes(f": {self.served.folder}"), [], "a cancel kills what may be repeated")

    def test_a_server_that_stops_leaves_no_command(self):
        config = self.config()
        config["server"] = {"drain": "100ms"}
        self.served = self.prepare(config).start()
        os.mkfifo(self.work / "begun")
        task = self.submit(f"echo x > begun; sleep 60; : {self.served.folder}")
        with open(self.work / "begun") as reader:
            reader.read()
        self.assertEqual(self.served.stop(), 0)
        self.assertEqual(processes(f": {self.served.folder}"), [])
        self.served.start()
        self.served.api.wait(task, "input_required")
        self.assertEqual(self.only(self.served.api.inbox(task))["reason"], "uncertain_outcome")


if WHY_NOT:
    print(f"not run: commands in a sandbox: {WHY_NOT}")
