"""The demo with a model that is not kept: each that it looks for is found and taken, and whatever the model then does,
the demo says what became of it and ends."""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

import answers
from case import SystemTest
from server import BINARY, ROOT, Server

DEMO = ROOT / "examples" / "demo"
sys.path.insert(0, str(DEMO))
import demo  # noqa: E402

NOWHERE = "127.0.0.1:1"
TAGS = {"models": [{"name": "nomic-embed-text:latest"}, {"name": "qwen3:8b"}]}


class Finds(SystemTest):
    """Of each model that the demo may find: the server starts with it, and takes the agent."""

    def starts_with(self, **env):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="perdure-demo-"))
        self.addCleanup(shutil.rmtree, folder, True)
        keys = {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "", "OLLAMA_HOST": NOWHERE, "OPENAI_BASE_URL": "",
                "PERDURE_DEMO_MODEL": "", **env}
        with mock.patch.dict(os.environ, keys):
            found = demo.Demo(pathlib.Path(BINARY), folder, False, None)
            self.addCleanup(found.close)
        server = Server({}, env={name: value for name, value in env.items() if value})
        self.addCleanup(server.close)
        for name in ("perdure.toml", "refund_desk.toml"):
            shutil.copy(folder / name, server.folder)
        server.start()
        agent = self.only(server.api.get("/v1/agents").json["agents"])
        self.assertEqual((agent["name"], agent.get("problem")), ("refund_desk", None))
        return found.who, (folder / "perdure.toml").read_text()

    def ollama(self, tags, **show):
        shown = [answers.replies("/api/show", {"capabilities": can}, contains=f'"{name}"') for name, can in show.items()]
        self.world.rules(answers.replies("/api/tags", tags), *shown, answers.replies("/api/show", {}))
        return f"127.0.0.1:{self.world.port}"

    def test_keys(self):
        rows = [({"OPENAI_API_KEY": "sk-0123456789abcdef"}, "OpenAI's gpt-4.1-mini, with"),
                ({"OPENAI_API_KEY": "sk-0123456789abcdef", "PERDURE_DEMO_MODEL": "gpt-5"}, "counted at gpt-4.1-mini's"),
                ({"ANTHROPIC_API_KEY": "sk-ant-0123456789"}, "Anthropic's claude-haiku-4-5, with"),
                ({}, "a kept conversation is replayed, because no key is set")]
        for env, says in rows:
            with self.subTest(says):
                self.assertIn(says, self.starts_with(**env)[0])

    def test_ollama(self):
        rows = [("the first may be for embeddings", TAGS, {}, "qwen3:8b, on Ollama"),
                ("it says itself what calls tools", {"models": [{"name": "plain"}, {"name": "able"}]},
                 {"plain": ["completion"], "able": ["completion", "tools"]}, "able, on Ollama"),
                ("none that calls tools", {"models": [{"name": "all-minilm"}]}, {"all-minilm": ["embedding"]}, "kept"),
                ("nothing pulled", {"models": []}, {}, "kept"),
                ("another server on its port", ["what?"], {}, "kept"),
                ("another server on its port", {"models": ["what?", {"name": None}]}, {}, "kept")]
        for why, tags, show, says in rows:
            with self.subTest(why):
                who, file = self.starts_with(OLLAMA_HOST=self.ollama(tags, **show))
                self.assertIn(says, who)
                self.assertEqual('max_tokens_member = "max_tokens"' in file, "Ollama at" in who)
        who, _ = self.starts_with(OLLAMA_HOST=self.ollama(TAGS), PERDURE_DEMO_MODEL="mine")
        self.assertIn("mine, on Ollama", who)

    def test_places(self):
        import models
        for given, url in {"": "http://127.0.0.1:11434", "0.0.0.0": "http://127.0.0.1:11434", "box:1": "http://box:1",
                           "https://box": "https://box:443", "[::1]:5": "http://[::1]:5",
                           "box:x": "http://box:11434"}.items():
            with self.subTest(given), mock.patch.dict(os.environ, {"OLLAMA_HOST": given}):
                self.assertEqual(models.ollama_url(), url)


REFUND = ("r", "refund", {"order": "42", "cents": 2450})
VOUCHER = ("v", "send_voucher", {"customer": "bob", "cents": 500})
LOOKS = answers.calls(("l", "look_up_order", {"order": "42"}), round=0)


class Live(SystemTest):
    """The whole demo as its own process, with a model that answers over HTTP as OpenAI's would."""
    WEIGHT = 3

    def demo(self, *rules, release=None):
        """(exit status, what it says). With `release`, the hold of that name lasts until the third kill."""
        self.world.rules(*rules)
        env = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": "sk-0123456789abcdef",
               "OPENAI_BASE_URL": self.world.url + "/v1"}
        process = subprocess.Popen([sys.executable, "-B", DEMO / "demo.py", BINARY], env=env, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        watch = threading.Timer(60, process.kill)
        watch.start()
        lines = []
        with contextlib.closing(process.stdout):
            for line in process.stdout:
                lines.append(line)
                if release and "started again" in line and any("no. 3:" in told for told in lines):
                    self.world.release(release)
        status = process.wait()
        watch.cancel()
        return status, "".join(lines)

    def held(self, text, round):
        return {"path": answers.MODEL_PATH, "round": round,
                "steps": answers.stream(answers.text_chunks(text), "last", 2)}

    def counts(self, text, what):
        return tuple(map(int, re.search(rf"^  {what} +(\d+) +(\d+)", text, re.M).groups()))

    def holds(self, status, text, kills):
        self.assertEqual(status, 0, text)
        self.assertIn("As promised: nothing was lost, nothing was done twice.", text)
        self.assertEqual(text.count("SIGKILL"), kills, text)

    def test_the_story(self):
        status, text = self.demo(LOOKS, answers.calls(REFUND, round=1), answers.calls(VOUCHER, round=2),
                                 self.held("Both were helped.", 3), release="last")
        self.holds(status, text, 3)
        self.assertIn("counted at gpt-4.1-mini's price", text)
        self.assertEqual((self.counts(text, "refund"), self.counts(text, "send_voucher")), ((2, 1), (1, 1)))
        self.assertEqual(self.counts(text, "model"), (5, 4))
        self.assertIn("Both were helped.", text)

    def test_the_voucher_first(self):
        status, text = self.demo(answers.calls(VOUCHER, round=0), answers.calls(REFUND, round=1),
                                 self.held("Done.", 2), release="last")
        self.holds(status, text, 3)
        self.assertEqual((self.counts(text, "refund"), self.counts(text, "send_voucher")), ((2, 1), (1, 1)))

    def test_both_at_once(self):
        status, text = self.demo(answers.calls(REFUND, VOUCHER, round=0), answers.says("Done."))
        self.assertEqual(status, 0, text)
        self.assertIn("As promised", text)
        self.assertEqual(self.counts(text, "send_voucher"), (1, 1))
        self.assertEqual(self.counts(text, "refund")[1], 1)

    def test_a_model_that_does_less(self):
        status, text = self.demo(answers.calls(REFUND, round=0), answers.says("I leave it there."))
        self.holds(status, text, 1)
        self.assertIn("only 1 of 3 kills were shown: the model never called send_voucher", text)
        status, text = self.demo(answers.calls(("n", "no_such_tool", {}), round=0), answers.says("I can do nothing."))
        self.holds(status, text, 0)
        self.assertIn("the model never called refund and send_voucher", text)

    def test_a_model_that_refuses(self):
        error = {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error"}}
        status, text = self.demo(answers.replies(answers.MODEL_PATH, error, status=401))
        self.assertEqual(status, 1, text)
        self.assertRegex(text, "The story has no end: .*Incorrect API key")
        self.assertIn("--kept-model", text)

    def test_a_question_that_the_demo_does_not_expect(self):
        status, text = self.demo(answers.calls(REFUND, round=0), answers.calls(REFUND, round=1))
        self.assertEqual(status, 1, text)
        self.assertIn("The story has no end: the task asks what this demo has no answer to", text)
        self.assertEqual(self.counts(text, "refund")[1], 1)


if __name__ == "__main__":
    unittest.main()
