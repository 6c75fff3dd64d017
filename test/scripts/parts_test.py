"""./dev test must fail when anything fails, is missing, hangs or is blocked, and say so."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class PartsTest(unittest.TestCase):
    def run_parts(self, *parts, flags=(), **environment):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as table:
            for number, part in enumerate(parts):
                table.write(f'[[part]]\nname = "{part.pop("name", f"control {number}")}"\n')
                table.writelines(f"{key} = {value}\n" for key, value in part.items())
            table.flush()
            env = {k: v for k, v in os.environ.items() if k != "PERDURE_FIXTURES"}
            return subprocess.run([ROOT / "dev", "test", "--parts", table.name, *flags], text=True,
                                  env={**env, **environment}, capture_output=True)

    def test_all_hold(self):
        run = self.run_parts({"run": '"echo fine"'}, {"run": '"exit {code}"', "with": "{code = 0}"})
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertIn("fine", run.stdout)

    def test_a_failure_is_shown_whole_and_the_others_still_run(self):
        run = self.run_parts({"run": '"echo first; echo second >&2; exit 3"'}, {"run": '"echo third"'})
        self.assertEqual(run.returncode, 1)
        for word in ("first", "second", "third", "FAILED: control 0"):
            self.assertIn(word, run.stdout)

    def test_what_is_not_there_is_a_failure(self):
        run = self.run_parts({"run": '"true"', "needs": '["no/such/file"]'})
        self.assertEqual(run.returncode, 1)
        self.assertIn("no/such/file", run.stdout)

    def test_what_hangs_is_ended(self):
        run = self.run_parts({"run": '"tail -f /dev/null"', "timeout_s": "1"})
        self.assertEqual(run.returncode, 1)
        self.assertIn("ended after 1 s", run.stdout)

    def test_what_needs_a_failed_part_is_blocked(self):
        run = self.run_parts({"name": "build", "run": '"false"'}, {"run": '"echo ran"', "after": '"build"'})
        self.assertEqual(run.returncode, 1)
        self.assertNotIn("ran\n", run.stdout)
        self.assertIn("'build' did not succeed", run.stdout)

    def test_what_the_machine_lacks_fails_only_when_strict(self):
        part = {"run": '"true"', "env": '["PERDURE_NO_SUCH"]'}
        self.assertEqual(self.run_parts(dict(part)).returncode, 0)
        self.assertEqual(self.run_parts(dict(part), flags=["--strict"]).returncode, 1)
        self.assertEqual(self.run_parts(dict(part), flags=["--strict"], PERDURE_NO_SUCH="1").returncode, 0)

    def test_what_was_skipped_in_a_part_fails_only_when_strict(self):
        for line in ("not run: a thing", "[  SKIPPED ] Suite.Test (0 ms)", "\t  7 - a_test (Skipped)",
                     "\t  7 - a_test (Disabled)"):
            part = {"run": f"\"printf '{line}\\\\n'\""}
            with self.subTest(line):
                run = self.run_parts(dict(part))
                self.assertEqual(run.returncode, 0, run.stdout)
                self.assertIn("Not run:\n  control 0: ", run.stdout)
                run = self.run_parts(dict(part), flags=["--strict"])
                self.assertEqual(run.returncode, 1, run.stdout)
                self.assertIn("FAILED: control 0", run.stdout)

    def test_quick_says_what_it_left_out(self):
        run = self.run_parts({"name": "long", "run": '"false"', "slow": "true"}, flags=["--quick"])
        self.assertEqual(run.returncode, 0)
        self.assertIn("long: --quick", run.stdout)


if __name__ == "__main__":
    unittest.main()
