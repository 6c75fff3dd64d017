"""A recorded conversation answers for the model, and refuses what was not recorded to the byte."""
import json
import unittest

import answers
from case import SystemTest, agent, model

INSTRUCTIONS = "You handle orders."


class Replay(SystemTest):
    KEY = "sk-not-in-the-recording"

    def recorded(self):
        """The file of a task that called a tool, recorded from a model that streams."""
        self.world.rules(answers.calls(("c1", "look", {"order": 1}), round=0), answers.says("Open.", round=1),
                         answers.replies("/look", {"state": "open"}))
        server = self.server(self.config(models={"main": model(
            self.world, record_to="recorded.jsonl", key="env:MODEL_KEY")}), env={"MODEL_KEY": self.KEY})
        task = server.api.submit("orders", "replay me")
        self.first = server.api.wait(task, "completed")
        server.stop()
        path = server.folder / "recorded.jsonl"
        text = path.read_text("utf-8")
        self.assertNotIn(self.KEY, text)
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([line["request"] for line in lines], self.model_bodies("replay me")[-2:])
        self.world.rules(answers.replies("/look", {"state": "open"}))  # no model any more
        return path

    def replaying(self, path, **changed):
        config = self.config(models={"main": {"provider": "replay", "model": "m-1", "recording": str(path)}})
        return self.server(config, {"orders": agent(**{"instructions": INSTRUCTIONS, **changed})})

    def run_again(self, server, words="replay me"):
        task = server.api.submit("orders", words)
        return server.api.wait(task, "completed", "failed")

    def test_equal_bytes_are_answered(self):
        path = self.recorded()
        asked = len(self.model_bodies())
        server = self.replaying(path)
        seen = self.run_again(server)
        self.assertEqual((seen["status"], seen["result"]), ("completed", self.first["result"]))
        self.assertEqual(len(self.model_bodies()), asked, "the model is not asked")
        again = self.run_again(server)
        self.assertEqual(again["status"], "failed", "an exchange answers once")
        self.assertIn("recorded exchanges are used", again["error"]["message"])

    def test_other_bytes_are_refused(self):
        path = self.recorded()
        changed = INSTRUCTIONS.replace("orders", "Orders")
        seen = self.run_again(self.replaying(path, instructions=changed))
        self.assertEqual(seen["status"], "failed")
        self.assertIn("not the recorded one", seen["error"]["message"])
        self.assertIn("You handle Orders.", seen["error"]["message"], "it shows the difference")
        seen = self.run_again(self.replaying(path, tools=["look", "pay"]))
        self.assertEqual(seen["status"], "failed", "other tools are another request")
        seen = self.run_again(self.replaying(path, max_output_tokens=100))
        self.assertEqual(seen["status"], "failed", "as is another limit")
        seen = self.run_again(self.replaying(path), "replay you")
        self.assertEqual(seen["status"], "failed", "as are other words")

    def test_a_changed_recording(self):
        path = self.recorded()
        lines = path.read_text("utf-8").splitlines()
        path.write_text(lines[0] + "\n" + lines[1].replace("orders", "0rders", 1) + "\n", "utf-8")
        with self.assertRaisesRegex(AssertionError, "line 2: .*the recording was changed"):
            self.replaying(path)
        path.write_text(lines[0][:-5] + "\n", "utf-8")
        with self.assertRaisesRegex(AssertionError, "line 1"):
            self.replaying(path)


if __name__ == "__main__":
    unittest.main()
