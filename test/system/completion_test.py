"""What a shell offers, asked of a real bash."""
import pathlib
import shutil
import subprocess
import tempfile
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


# At a terminal of its own; a key then writes down what the line has become.
ZSH = r"""
zmodload zsh/zpty; rm -f line
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit && compinit -u -D; source <(perdure completion zsh)'
zpty -w shell 'note() { print -r -- "$BUFFER" > line.new; mv line.new line; exit }; zle -N note; bindkey "^X" note'
zpty -w shell 'print read''y'
while zpty -r shell text '*ready*'; do [[ $text == *ready* ]] && break; done
zpty -w -n shell $'LINE\t\x18'
while zpty -r shell text; do [[ -e line ]] && break; done
cat line
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
        self.assertEqual(self.offered("tasks", ""), ["list", "show", "journal", "cancel", "end-damaged", "submit"])
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



class OtherShells(SystemTest):
    """The same by real ones, each with the stub that the binary prints, and the binary in its PATH."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perdure-shells-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        (self.folder / "perdure").symlink_to(BINARY)
        (self.folder / "refunds.toml").touch()

    def asked(self, shell, *words, script):
        if not shutil.which(shell):
            print(f"not run: completion in {shell} (./dev setup installs it)")
            self.skipTest(f"no {shell}")
        done = subprocess.run([shell, *words, script], capture_output=True, text=True, timeout=30, cwd=self.folder,
                              env={"PATH": f"{self.folder}:/usr/bin:/bin", "HOME": str(self.folder), "TERM": "dumb"})
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout

    def test_they_can_read_it(self):
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell):
                self.asked(shell, "-c", script=f"perdure completion {shell} > stub.{shell}; {shell} -n stub.{shell}")

    def in_fish(self, line):
        offered = self.asked("fish", "--no-config", "-c", script=f"perdure completion fish | source; complete -C '{line}'")
        return [word.split("\t")[0] for word in offered.splitlines()]

    def test_fish(self):
        self.assertEqual(self.in_fish("perdure ta"), ["tasks"])
        self.assertEqual(sorted(self.in_fish("perdure tasks ")), ["cancel", "end-damaged", "journal", "list", "show", "submit"])
        self.assertEqual(sorted(self.in_fish("perdure tasks list --status c")), ["cancelled", "completed"])
        self.assertEqual(self.in_fish("perdure run ref"), ["refunds.toml"])

    def in_zsh(self, line):
        """The line as it stands after a person has typed this and the tab key."""
        return self.asked("zsh", "-f", "-c", script=ZSH.replace("LINE", line)).strip()

    def test_zsh(self):
        self.assertEqual(self.in_zsh("perdure tasks jo"), "perdure tasks journal")
        self.assertEqual(self.in_zsh("perdure tasks list --status compl"), "perdure tasks list --status completed")
        self.assertEqual(self.in_zsh("perdure run ref"), "perdure run refunds.toml")


if __name__ == "__main__":
    unittest.main()
