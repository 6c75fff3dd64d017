"""What a person at a terminal sees and does: progress, questions, ctrl-C, a server that goes away."""
import json
import os
import shlex
import subprocess
import unittest

import answers
from case import SystemTest, agent, tool
from server import BINARY, run
from terminal import Terminal


def in_pieces():
    """Some words when `begin` is released, the rest when `hold` is."""
    steps = answers.stream(answers.text_chunks("First words, then more."), "hold", 2)
    return steps[:2] + [["hold", "begin"]] + steps[2:]


class AtATerminal(SystemTest):
    def setUp(self):
        self.world.rules(
            answers.calls(("c1", "look", {"order": 1}), ("c2", "pay", {"order": 1}), round=0, contains="pay it"),
            {"path": answers.MODEL_PATH, "contains": "hold it",
             "steps": in_pieces()},
            answers.says("All is \u001b[31mdone\u001b[0m.", lacks="hold it"),
            answers.replies("/pay", {"paid": 1}), answers.replies("/look", {"status": "\u202eshipped"}))
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", approval="always")
        self.served = self.server(config)

    def terminal(self, *words, **options):
        terminal = Terminal(*words, "--data-dir", self.served.data, **options)
        self.addCleanup(terminal.close)
        return terminal

    def cli(self, *words, status=0, **options):
        done = run(*words, "--data-dir", self.served.data, **options)
        self.assertEqual(done.returncode, status, done)
        return done

    def asked(self, text="pay it"):
        task = self.served.api.submit("orders", text)
        self.served.api.wait(task, "input_required")
        return task, self.only(self.served.api.inbox(task))

    def hear(self, terminal):
        """The model begins to speak when it is listened to."""
        terminal.expect("model main")
        self.world.release("begin")
        terminal.expect("First words")

    def test_progress_is_drawn(self):
        terminal = self.terminal("tasks", "submit", "orders", '"hold it"', "--follow")
        self.hear(terminal)
        self.assertIn("\x1b[2mFirst words", terminal.raw, "what is not recorded is dim")
        terminal.expect("working  1 turn, 0 tool calls")
        self.world.release("hold")
        terminal.expect("turn 1")
        terminal.expect("120 tokens")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("\x1b[2A\r\x1b[J", terminal.raw, "it is drawn over")

    def test_what_others_wrote_does_not_command_the_terminal(self):
        task, question = self.asked()
        self.served.api.resolve(question["id"], "approve")
        self.served.api.wait(task, "completed")
        for words in (("events", task), ("tasks", "show", task), ("tasks", "journal", task)):
            terminal = self.terminal(*words, env={"NO_COLOR": "1"})
            self.assertEqual(terminal.end(), 0)
            self.assertNotIn("\x1b", terminal.raw, words)
            self.assertNotIn("\u202e", terminal.raw, words)
        self.assertIn("\\x1b[31mdone", self.cli("events", task).stdout)

    def test_ctrl_c_leaves_the_task_running(self):
        terminal = self.terminal("tasks", "submit", "orders", '"hold it"', "--follow")
        self.hear(terminal)
        terminal.interrupt()
        terminal.expect("the task goes on")
        self.assertEqual(terminal.end(), 130)
        task = self.served.api.get("/v1/tasks?limit=1").json["tasks"][0]
        self.assertEqual(task["status"], "working")
        self.assertIn(f"perdure events {task['id']} --follow", terminal.text)
        self.world.release("hold")
        again = self.terminal("events", task["id"], "--follow")
        again.expect("completed")
        self.assertEqual(again.end(), 0)

    def test_a_server_that_is_killed_is_waited_for(self):
        self.served.listen = self.served.url.split("//")[1]
        terminal = self.terminal("tasks", "submit", "orders", '"hold it"', "--follow")
        self.hear(terminal)
        self.served.kill()
        terminal.expect("the server went away")
        self.served.listen = "127.0.0.1:0"  # it comes back somewhere else
        self.served.start()
        terminal.expect("the server is back")
        terminal.expect("answer lost, asked again")
        self.world.release("hold")
        terminal.expect("completed  1 turn")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(terminal.text.count("agent    orders"), 1, "no event comes twice")

    def test_without_a_terminal_the_same_in_lines(self):
        with subprocess.Popen([BINARY, "tasks", "submit", "orders", '"hold it"', "--follow", "--data-dir",
                               self.served.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            self.world.wait_held("begin")
            self.served.kill()
            self.served.start()
            self.world.wait_held("begin", 2)
            self.world.release("begin")
            self.world.release("hold")
            out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("status     completed", out)
        self.assertNotIn("\x1b", err)
        self.assertEqual(err.count("turn 1: main  attempt 2"), 1, err)
        self.assertLess(err.index("went away"), err.index("is back"))

    def test_inbox_one_after_another(self):
        first, _ = self.asked()
        second, _ = self.asked()
        terminal = self.terminal("inbox", "--decide")
        terminal.expect("[a]pprove, [e]dit, [r]eject, [t]ell it something, [l]eave it:")
        terminal.type("what")
        terminal.expect("none of them")
        terminal.type("a")
        terminal.expect("recorded")
        terminal.expect("[l]eave it:")
        terminal.type("r")
        terminal.expect("why")
        terminal.type("too much")
        terminal.expect("recorded")
        self.assertEqual(terminal.end(), 0)
        for task in (first, second):
            self.served.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay")), 1)
        self.assertTrue(any("too much" in body for body in self.model_bodies("pay it")))

    def test_an_answer_that_is_json(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        self.world.rules(answers.calls(("c1", "ask_person", {"question": "How many?", "schema": schema}), round=0),
                         answers.says("Done.", round=1))
        self.served.stop()
        self.served.configure(self.config(), {"orders": agent(tools=["*", "ask_person"])})
        self.served.start()
        task, _ = self.asked("count them")
        terminal = self.terminal("inbox", "--decide")
        terminal.expect("[t]ell it something")
        terminal.type("t")
        terminal.expect("your answer, as JSON:")
        terminal.type("seven")
        terminal.expect("the answer")
        terminal.type('{"n": 7}')
        terminal.expect("recorded")
        self.assertEqual(terminal.end(), 0)
        self.served.api.wait(task, "completed")

    def test_an_answer_that_has_defaults(self):
        properties = {"n": {"type": "integer", "default": 3}, "size": {"type": "string", "default": "L"}}
        schema = {"type": "object", "properties": properties, "required": ["n"]}
        self.world.rules(answers.calls(("c1", "ask_person", {"question": "How many?", "schema": schema}), round=0),
                         answers.says("Done.", round=1))
        self.served.stop()
        self.served.configure(self.config(), {"orders": agent(tools=["*", "ask_person"])})
        self.served.start()
        for typed, told in (("", {"n": 3, "size": "L"}), ('{"n": 7}', {"n": 7, "size": "L"})):
            words = "count " + (typed or "nothing")
            task, _ = self.asked(words)
            terminal = self.terminal("inbox", "--decide")
            terminal.expect("[t]ell it something")
            terminal.type("t")
            terminal.expect("your answer, as JSON (empty: the defaults):")
            terminal.type(typed)
            terminal.expect("recorded")
            self.assertEqual(terminal.end(), 0)
            self.served.api.wait(task, "completed")
            told_model = json.loads(self.model_bodies()[-1])["messages"][-1]["content"]
            self.assertEqual(json.loads(told_model), told)

    def test_short_names(self):
        task, question = self.asked()
        shown = self.cli("inbox").stdout
        self.assertIn(question["id"], shown)
        for word in (task[:-2], task[5:-1], task[-9:]):
            self.assertIn(task, self.cli("tasks", "show", word).stdout)
        self.asked()
        said = self.cli("tasks", "show", task[:9], status=1).stderr
        self.assertIn("fits 2 ids", said)
        self.assertIn(task, said)
        approve = next(line for line in shown.splitlines() if "perdure approve" in line)
        command = approve.split("perdure ", 1)[1]
        self.assertLess(len(command), len("approve ") + 14)
        self.cli(*shlex.split(command))
        self.served.api.wait(task, "completed")
        wrong = self.cli("reject", command.split()[1], status=1).stderr
        self.assertIn("it is 'approve', by operator", wrong)
        self.assertIn("nearest is", self.cli("tasks", "show", task[:-1] + "x", status=1).stderr)

    def test_a_wrong_token_names_its_file(self):
        wrong = self.served.folder / "wrong"
        wrong.write_text("perdure_not_the_token_of_this\n")
        said = run("inbox", "--url", self.served.url, "--token-file", wrong)
        self.assertEqual(said.returncode, 1)
        self.assertIn(str(wrong), said.stderr)
        self.assertIn(self.served.url, said.stderr)


if __name__ == "__main__":
    unittest.main()
