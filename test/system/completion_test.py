"""What a shell offers, asked of a real bash."""
import subprocess
import unittest

import answers
from case import SystemTest, tool
from server import BINARY

SCRIPT = r"""
source <("$1" completion bash)
shift
COMP_WORDS=(perdure_binary "$@") COMP_CWORD=$#
compopt() { :; }  # there is no line that is edited
_perdure "$BINARY" "${!#}"
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(SystemTest):
    def setUp(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0), answers.says("Done."))
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", approval="always")
        self.served = self.server(config)

    def offered(self, *words):
        done = subprocess.run(["bash", "-c", SCRIPT, "bash", BINARY, *map(str, words)], capture_output=True, text=True,
                              timeout=30, cwd=self.served.folder, env={"BINARY": BINARY, "PATH": "/usr/bin:/bin"})
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout.split()

    def test_words_of_the_command_line(self):
        self.assertEqual(self.offered("ta"), ["tasks"])
        self.assertEqual(self.offered("tasks", ""), ["list", "show", "journal", "cancel", "submit"])
        self.assertEqual(self.offered("tasks", "list", "--st"), ["--status"])
        self.assertEqual(self.offered("tasks", "list", "--status", "c"), ["completed", "cancelled"])
        self.assertEqual(self.offered("completion", "b"), ["bash"])
        self.assertEqual(self.offered("nonsense", "x"), [])

    def test_words_that_the_server_knows(self):
        task = self.served.api.submit("orders", "pay")
        self.served.api.wait(task, "input_required")
        here = ("--data-dir", self.served.data)
        self.assertEqual(self.offered("tasks", "show", *here, ""), [task])
        self.assertEqual(self.offered("tasks", "show", *here, "task_zz"), [])
        self.assertEqual(self.offered("events", *here, task[:12]), [task])
        handle = self.offered("approve", *here, "")
        self.assertEqual(len(handle), 1)
        self.assertTrue(handle[0].startswith(task[-8:] + "."))
        self.assertEqual(self.offered("tasks", "submit", *here, "o"), ["orders"])
        self.assertEqual(self.offered("tasks", "show", "--data-dir", "/nowhere", ""), [], "no server, no words")

    def test_files(self):
        self.assertIn("perdure.toml", self.offered("serve", "--config", "per"))
        self.assertEqual(self.offered("run", "ord"), ["orders.toml"])

    def test_the_other_shells_have_stubs(self):
        for shell in ("zsh", "fish"):
            done = subprocess.run([BINARY, "completion", shell], capture_output=True, text=True, timeout=30)
            self.assertIn("__complete", done.stdout)


if __name__ == "__main__":
    unittest.main()
