"""Data directories of earlier versions, each left by SIGKILL with open tasks: this version sees them through.

    PERDURE_BINARY=THAT_VERSION python3 -B test/system/upgrade_test.py --make test/golden/data/NAME.tar.xz

makes one. Do so for each version that people have, and keep the old ones."""
import io
import json
import pathlib
import sys
import tarfile
import time
import unittest

import answers
import described
from case import SystemTest, agent, tool
from conversation import check_conversation, check_prefixes
from server import ROOT

KEPT = ROOT / "test" / "golden" / "data"
LEFT = "left.json"  # what the test must know of it: tasks, their events, what the model was told
# What each task was doing.
DOING = {"asked": "a person is asked whether it may sell",
         "reading": "a read call is under way",
         "paying": "a call that may be sent once is under way",
         "thinking": "the model is asked a second time",
         "limited": "the model said to come back later",
         "over": "it has ended"}


class Upgrade(SystemTest):
    def words(self, doing):
        """A task's input, which stands in all that it sends."""
        return f"{doing} in {self.name}"

    def config(self):
        config = super().config()
        config["tools"]["sell"] = tool(self.world, "/sell", "once", approval="always")
        return config

    def outside(self, held=()):
        """Every task makes one call and then says so; what is `held` stands still."""
        rules = []
        for doing, path in {"asked": "/sell", "reading": "/look", "paying": "/pay"}.items():
            order = self.words(doing)
            rules.append(answers.calls(("c1", path[1:], {"order": order}), contains=order, round=0))
        for doing, path in {"reading": "/look", "paying": "/pay", "thinking": answers.MODEL_PATH}.items():
            if doing in held:
                rules.append({"path": path, "contains": self.words(doing), "steps": [["hold", "here"]],
                              **({"round": 1} if doing == "thinking" else {})})
        if "limited" in held:
            rules.append(answers.replies(answers.MODEL_PATH, {"error": {"message": "slow down"}}, 429,
                                         {"Retry-After": "2"}, contains=self.words("limited")))
        rules += [answers.calls(("c1", "look", {}), contains=self.words("thinking"), round=0), answers.says("Done.")]
        rules += [answers.replies(path, {"did": path}) for path in ("/look", "/pay", "/sell")]
        self.world.rules(*rules)

    def make(self, file):
        self.name = file.name
        self.outside(held=DOING)
        server = self.server()
        tasks = {doing: server.api.submit("orders", self.words(doing)) for doing in DOING}
        server.api.wait(tasks["asked"], "input_required")
        server.api.wait(tasks["over"], "completed")
        self.world.wait_held("here", 3)
        self.world.wait_count(1, answers.MODEL_PATH, self.words("limited"))
        deadline = time.monotonic() + 20
        while "timer.set" not in [event["type"] for event in server.api.events(tasks["limited"])]:
            self.assertLess(time.monotonic(), deadline, "no timer")
            time.sleep(0.05)
        left = {"tasks": tasks,
                "events": {task: server.api.events(task) for task in tasks.values()},
                "told": {doing: self.model_bodies(self.words(doing)) for doing in DOING}}
        server.kill()
        (server.data / LEFT).write_text(json.dumps(left), "utf-8")
        with tarfile.open(file, "w:xz") as out:
            for path in sorted(server.data.rglob("*")):
                out.add(path, path.relative_to(server.data), recursive=False, filter=self.nobodys)

    @staticmethod
    def nobodys(entry):
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry

    def test_what_was_open_is_seen_through(self):
        files = sorted(KEPT.glob("*.tar.xz"))
        self.assertTrue(files)
        for file in files:
            with self.subTest(file.name):
                self.see_through(file)

    def see_through(self, file):
        self.name = file.name
        self.outside()
        server = self.server(start=False)
        server.data.mkdir(mode=0o700)
        with tarfile.open(file) as kept:
            kept.extractall(server.data)
        left = json.loads((server.data / LEFT).read_text("utf-8"))
        tasks = left["tasks"]
        server.start()
        question = self.only(server.api.inbox(tasks["asked"]))
        digest = question["action"]["args_sha256"]
        self.assertEqual(server.api.resolve(question["id"], "approve", args_sha256=digest).status, 200)
        server.api.wait(tasks["paying"], "input_required")
        doubt = self.only(server.api.inbox(tasks["paying"]))
        self.assertEqual(doubt["reason"], "uncertain_outcome")
        self.assertEqual(server.api.resolve(doubt["id"], "happened", result={"did": "/pay"}).status, 200)
        for doing, task in tasks.items():
            with self.subTest(doing):
                seen = server.api.wait(task, "completed", "failed", "quarantined")
                self.assertEqual((seen["status"], seen.get("result")), ("completed", {"text": "Done."}), seen)
                before = left["events"][task]
                names = [event["type"] for event in server.api.events(task)]
                self.assertEqual(names[:len(before)], [event["type"] for event in before])
                bodies = left["told"][doing] + self.model_bodies(self.words(doing))
                for body in bodies:
                    check_conversation(self, body)
                check_prefixes(self, bodies)
        self.assertEqual([len(self.received(path, self.name)) for path in ("/sell", "/look", "/pay")], [1, 1, 0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        described.against = lambda *_: []  # it was described otherwise
        file = pathlib.Path(sys.argv[2]).resolve()
        Upgrade.make_it = lambda self: self.make(file)
        result = unittest.TextTestRunner().run(unittest.TestSuite([Upgrade("make_it")]))
        sys.exit(not result.wasSuccessful())
    unittest.main()
