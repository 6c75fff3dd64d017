"""What an operator does at a terminal: keys."""
import re
import unittest

from case import SystemTest
from server import run

class Operator(SystemTest):
    def cli(self, *words, status=0):
        done = run(*words, "--data-dir", self.served.data)
        self.assertEqual(done.returncode, status, done)
        return done

    def test_keys(self):
        self.served = self.server()
        made = self.cli("keys", "create", "desk", "--scopes", "run,approve", "--expires", "30d")
        secret = made.stdout.strip()
        self.assertRegex(secret, r"^perdure_\w+$")
        name = re.search(r"key_\w+", made.stderr)[0]
        listed = self.cli("keys", "list").stdout
        self.assertIn(name, listed)
        self.assertIn("run,approve", listed)
        self.assertIn("in 29 days", listed)
        self.assertNotIn(secret, listed)
        file = self.served.folder / "desk"
        file.write_text(secret + "\n")
        there = ("--url", self.served.url, "--token-file", file)
        self.assertEqual(run("inbox", *there).returncode, 0)
        self.assertIn("403", run("keys", "list", *there).stderr)
        self.cli("keys", "delete", name)
        self.assertIn(str(file), run("inbox", *there).stderr)
        self.assertIn("scopes", self.cli("keys", "create", "x", "--scopes", "walk", status=1).stderr)

    def test_files_of_secrets_are_beside_the_operators_file(self):
        self.served = self.server({**self.config(), "tokens": {"desk": {"token": "file:desk.key", "scopes": ["run"]}}},
                                  start=False)
        file = self.served.folder / "desk.key"
        file.write_text("a-token-of-the-desk-of-32-letters\n")
        self.served.start()
        there = ("--url", self.served.url, "--token-file", file)
        self.assertEqual(run("tasks", "list", *there).returncode, 0)


if __name__ == "__main__":
    unittest.main()
