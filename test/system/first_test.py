"""examples/first, as the README tells a new user to run it; only the model's address and the ports are others."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import answers
from case import SystemTest
from server import BINARY, ROOT


class FirstAgent(SystemTest):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perdure-first-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        for path in (ROOT / "examples" / "first").iterdir():
            shutil.copy(path, self.folder)

    def start_tool(self):
        """On a free port; returns it."""
        text = (self.folder / "tool.py").read_text()
        self.assertEqual(len(text.splitlines()), 12)
        text = text.replace('HTTPServer(("127.0.0.1", 7801), Refunds).serve_forever()',
                            'server = HTTPServer(("127.0.0.1", 0), Refunds)\nprint(server.server_port, flush=True)\n'
                            "server.serve_forever()")
        (self.folder / "tool.py").write_text(text)
        tool = subprocess.Popen([sys.executable, "tool.py"], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(tool.stdout.close)
        self.addCleanup(tool.wait)
        self.addCleanup(tool.kill)
        return int(tool.stdout.readline())

    def configure(self, tool_port):
        text = (self.folder / "perdure.toml").read_text()
        text = text.replace("https://api.openai.com/v1", self.world.url + "/v1").replace(":7801/", f":{tool_port}/")
        text = text.replace('key = "env:OPENAI_API_KEY"', 'key = "env:OPENAI_API_KEY"\nallow_private = true', 1)
        (self.folder / "perdure.toml").write_text(text)

    def test_one_command_runs_it(self):
        self.configure(self.start_tool())
        self.world.rules(answers.calls(("c1", "refund", {"order": "42"}), round=0),
                         answers.says("Order 42 was refunded.", round=1))
        run = subprocess.run([BINARY, "run", "refunds.toml", "Order 42 arrived broken."], cwd=self.folder, text=True,
                             capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "sk-0123456789abcdef"})
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Order 42 was refunded.", run.stdout)
        result = self.model_bodies()[-1]
        self.assertTrue(re.search(r"receipt.{1,6}1", result), result)
        self.wait_for_the_server_to_end()

    def wait_for_the_server_to_end(self):
        """It was started for this command alone, and ends by itself when no task is open."""
        deadline = time.monotonic() + 120
        while (self.folder / ".perdure" / "address").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertFalse((self.folder / ".perdure" / "address").exists(), "the server is still there")


if __name__ == "__main__":
    unittest.main()
