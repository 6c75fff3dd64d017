"""The command line against a running server, as a person or a script uses it."""
import json
import os
import shlex
import socket
import subprocess
import threading
import unittest

import answers
from case import SystemTest, tool
from server import run


class Stranger:
    """Somebody else's listener: takes whatever is said to it, and answers all of it alike."""

    def __init__(self, port=0, kind="application/json", body=b'{"status": "ok"}'):
        self.listener = socket.create_server(("127.0.0.1", int(port)))
        self.port = self.listener.getsockname()[1]
        self.answer = (f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                       "Connection: close\r\n\r\n").encode() + body
        self.heard = []
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.heard.append(connection.recv(65536))
                connection.sendall(self.answer)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


class CommandLine(SystemTest):
    def setUp(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0, contains="pay it"),
                         answers.says("Done, \u001b[31mred\u001b[0m.", lacks="hold it"),
                         {"path": answers.MODEL_PATH,
                          "steps": answers.stream(answers.text_chunks("Held."), "hold", 0)},
                         answers.replies("/pay", {"paid": 1}))
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", approval="always")
        self.served = self.server(config)

    def cli(self, *words, status=0):
        done = run(*words, "--data-dir", self.served.data)
        self.assertEqual(done.returncode, status, done)
        if status == 0:
            self.assertEqual(done.stderr if "--wait" not in words else "", "")
        return done.stdout if status in (0, 4, 5) else done.stderr

    def test_a_task_from_beginning_to_end(self):
        task = self.cli("tasks", "submit", "orders", '"say it"', "--key", 'a "quoted" key').strip()
        again = self.cli("tasks", "submit", "orders", '"say it"', "--key", 'a "quoted" key').strip()
        of_session = self.cli("tasks", "submit", "orders", '"say it"', "--session", "ticket 7").strip()
        listed = self.cli("tasks", "list", "--session", "ticket 7")
        self.assertIn(of_session, listed)
        self.assertNotIn(task, listed)
        self.assertEqual(task, again)
        self.served.api.wait(task, "completed")
        shown = self.cli("tasks", "show", task)
        self.assertIn("completed", shown)
        self.assertIn(task, self.cli("tasks", "list"))
        self.assertNotIn(task, self.cli("tasks", "list", "--status", "failed"))
        other = self.cli("tasks", "submit", "orders", '"say it"').strip()
        self.served.api.wait(other, "completed")
        listed = [json.loads(line) for line in self.cli("tasks", "list", "--json").splitlines()]
        self.assertEqual(listed, self.served.api.get("/v1/tasks").json["tasks"], "one a line")
        self.assertEqual({one["id"] for one in listed}, {task, other, of_session})
        self.assertEqual(json.loads(self.cli("tasks", "show", task, "--json")), self.served.api.task(task))
        lines = self.cli("tasks", "journal", task).splitlines()
        self.assertEqual(len(lines), len(self.served.api.journal(task)))
        self.assertIn("task_created", lines[0])
        normal = [json.loads(line) for line in
                  self.cli("tasks", "journal", task, "--normalised").splitlines()]
        self.assertEqual(normal, self.served.api.journal(task, normalised=True))

    def test_waiting(self):
        out = self.cli("tasks", "submit", "orders", '"say it"', "--wait")
        self.assertIn("completed", out)
        self.assertNotIn("\u001b", out, "what a model says does not command a terminal")

    def test_people(self):
        self.assertIn("nobody", self.cli("inbox"))
        out = self.cli("tasks", "submit", "orders", '"pay it"', "--wait", status=5)
        self.assertIn("tool_approval", out)
        inbox = self.cli("inbox")
        question = self.only(self.served.api.inbox())
        self.assertIn(question["id"], inbox)
        self.assertIn('"order": 1', inbox)
        command = next(line.split("perdure ", 1)[1] for line in inbox.splitlines() if "approve" in line
                       and "perdure " in line)
        self.assertIn("recorded", self.cli(*shlex.split(command)), "the command that is shown works")
        self.assertIn("before", self.cli(*shlex.split(command)))
        self.assertEqual(self.served.api.wait(question["task"], "completed")["status"], "completed")
        self.assertIn("409", self.cli("resolve", question["id"], "reject", "--message", "no", status=1))

    def test_budgets(self):
        task = self.served.api.submit("orders", "say it", budget={"cost_usd": 0.000001})
        self.served.api.wait(task, "input_required")
        question = self.only(self.served.api.inbox(task))
        approve = next(a for a in question["answers"] if a["decision"] == "approve")["command"]
        self.assertIn("--add-usd", approve)
        self.cli(*shlex.split(approve)[1:])
        self.served.api.wait(task, "completed")

    def test_cancelling(self):
        task = self.cli("tasks", "submit", "orders", '"hold it"').strip()
        self.world.wait_held("hold")
        self.cli("tasks", "cancel", task, "--reason", "enough")
        self.assertEqual(self.served.api.wait(task, "cancelled")["status"], "cancelled")
        self.world.release("hold")
        out = self.cli("tasks", "submit", "orders", '"x"', "--wait", "--json")
        self.assertEqual(json.loads(out)["status"], "completed")

    def test_words_that_do_not_fit(self):
        for words, said in ((("tasks", "show", "task_nosuch"), "'perdure tasks list'"),
                            (("tasks", "show", "task_" + "0" * 26), "404"), (("tasks", "show", "../etc"), "not the id"),
                            (("tasks", "submit", "orders", "not json"), "INPUT_JSON"),
                            (("tasks", "submit", "order", "1"), "did you mean 'orders'"),
                            (("tasks", "list", "--status", "worki"), "status"),
                            (("resolve", "int_nosuch", "approve"), "'perdure inbox'"),
                            (("resolve", "int_" + "0" * 39, "approve"), "404"),
                            (("resolve", "int_x", "approve", "--result", "{"), "--result")):
            with self.subTest(words):
                self.assertIn(said, self.cli(*words, status=1))
        for words, said in (((), "inbox"), (("tasks",), "subcommand"), (("tasks", "shwo"), "nearest is 'show'"),
                            (("inbxo",), "nearest is 'inbox'"), (("tasks", "show"), "TASK"),
                            (("inbox", "--breif"), "--breif"),
                            (("tasks", "submit", "orders", "1", "--key", ""), "--key: is empty"),
                            (("keys", "create", "ci", "--scopes", "run", "--expires", ""), "--expires: is empty"),
                            (("keys", "create", "ci", "--scopes", "run", "--tenant", ""), "--tenant: is empty"),
                            (("tasks", "list", "--agent="), "--agent"),
                            (("resolve", "int_x", "edit", "--args", ""), "--args: is empty"),
                            (("inbox", "--url", ""), "--url: is empty"),
                            (("inbox", "--token-file", ""), "--token-file: is empty"),
                            (("serve", "--until-idle", ""), "--until-idle: is empty")):
            with self.subTest(words):
                done = run(*words)
                self.assertEqual(done.returncode, 64, done)
                self.assertIn(said, done.stderr)

    def test_no_server(self):
        done = run("tasks", "list", "--data-dir", self.served.folder / "nowhere")
        self.assertEqual(done.returncode, 3)
        self.assertIn("perdure serve", done.stderr)
        mode = os.stat(self.served.data / "address").st_mode & 0o777
        self.assertEqual(mode, 0o600)
        self.served.kill()
        self.assertIn("no process holds", self.cli("tasks", "list", status=3))
        self.served.start()
        self.cli("tasks", "list")
        self.assertEqual(self.served.stop(), 0)
        self.assertFalse((self.served.data / "address").exists())

    def test_a_token_is_for_its_own_server(self):
        """Whoever listens where a killed server did, or where --url points, is not told it."""
        self.cli("tasks", "list", "--url", self.served.url + "/")
        self.served.kill()
        stranger = Stranger(self.served.url.rpartition(":")[2])
        self.addCleanup(stranger.close)
        agent_file = self.served.folder / "orders.toml"
        place = ("--data-dir", self.served.data)
        for words in (("inbox", *place), ("inbox", "--url", self.served.url, *place),
                      ("run", "--detach", "--url", self.served.url, *place, agent_file, "a secret")):
            with self.subTest(words):
                done = run(*words, env={"PERDURE_TOKEN_FILE": ""})
                self.assertEqual(done.returncode, 3, done)
                self.assertIn("lock" if "--url" not in words else "--token-file", done.stderr)
        self.served.start()
        stranger_url = f"http://127.0.0.1:{stranger.port}"
        self.assertIn("--token-file", self.cli("inbox", "--url", stranger_url, status=1))
        self.assertEqual(stranger.heard, [])

    def test_what_is_no_perdure_server(self):
        stranger = Stranger()
        self.addCleanup(stranger.close)
        place = ("--url", f"http://127.0.0.1:{stranger.port}", "--token-file", self.served.data / "token")
        task = "task_" + "0" * 26
        for words in (("inbox",), ("inbox", "--json"), ("tasks", "list"), ("tasks", "show", task),
                      ("tasks", "journal", task), ("tasks", "submit", "orders", "1"), ("agents", "list"),
                      ("tasks", "cancel", task), ("events", task), ("tools", "list"), ("tools", "accept", "shop"),
                      ("keys", "list"), ("keys", "create", "ci", "--scopes", "run"), ("keys", "delete", "key_1"),
                      ("run", self.served.folder / "orders.toml", "x")):
            with self.subTest(words):
                done = run(*words, *place)
                self.assertEqual((done.returncode, done.stdout), (3, ""), done)
                self.assertIn("no Perdure server", done.stderr)

    def test_a_stream_that_ends_at_once(self):
        """It is asked for again, ever more slowly, and that is said once."""
        stranger = Stranger(kind="text/event-stream", body=b"")
        self.addCleanup(stranger.close)
        with self.assertRaises(subprocess.TimeoutExpired) as waiting:
            run("events", "task_" + "0" * 26, "--follow", "--url", f"http://127.0.0.1:{stranger.port}",
                "--token-file", self.served.data / "token", seconds=4)
        self.assertEqual(waiting.exception.stdout.decode().count("went away"), 1)
        self.assertIn(len(stranger.heard), range(3, 8))

    def test_another_place(self):
        url = self.served.url
        done = run("tasks", "list", "--url", url + "/", "--token-file", self.served.data / "token",
                   cwd="/")
        self.assertEqual(done.returncode, 0, done)
        wrong = self.served.folder / "wrong"
        wrong.write_text("not the token at all\n")
        done = run("tasks", "list", "--url", url, "--token-file", wrong)
        self.assertEqual(done.returncode, 1)
        self.assertIn("401", done.stderr)


if __name__ == "__main__":
    unittest.main()
