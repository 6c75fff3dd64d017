"""A call whose arguments a person changes: in an editor, or from a script."""
import json
import pathlib
import unittest

import answers
from case import SystemTest
from server import run
from terminal import Terminal

EDITOR = '''#!/bin/sh
# The first time what is no JSON, then another order.
if [ -e "$0.again" ]; then sed -i 's/not json/{"order": 2}/' "$1"; else echo 'not json' > "$1"; touch "$0.again"; fi
'''


class Edits(SystemTest):
    def setUp(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0), answers.says("Done."),
                         answers.replies("/pay", {"paid": 1}))
        config = self.config()
        config["tools"]["pay"]["approval"] = "always"
        self.served = self.server(config)
        self.task = self.served.api.submit("orders", "pay")
        self.served.api.wait(self.task, "input_required")
        self.before = len(self.received("/pay"))
        self.id = self.only(self.served.api.inbox())["id"]
        self.editor = self.served.folder / "editor"
        self.editor.write_text(EDITOR)
        self.editor.chmod(0o755)

    def paid(self):
        self.served.api.wait(self.task, "completed")
        return [json.loads(request["body"]) for request in self.received("/pay")[self.before:]]

    def terminal(self, *words):
        terminal = Terminal(*words, "--data-dir", self.served.data, env={"EDITOR": str(self.editor), "VISUAL": ""})
        self.addCleanup(terminal.close)
        return terminal

    def test_in_the_editor(self):
        terminal = self.terminal("edit", self.id)
        terminal.expect("edit it again? [y/N]")
        terminal.type("y")
        terminal.expect('-   "order": 1')
        terminal.expect('+   "order": 2')
        terminal.expect("[y/N]")
        terminal.type("y")
        terminal.expect("recorded")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(self.paid(), [{"order": 2}])

    def test_declined(self):
        pathlib.Path(str(self.editor) + ".again").touch()
        self.editor.write_text("#!/bin/sh\nsed -i s/1/3/ $1\n")
        terminal = self.terminal("edit", self.id)
        terminal.expect("[y/N]")
        terminal.type("n")
        terminal.expect("nothing was sent")
        self.assertEqual(terminal.end(), 1)
        again = self.terminal("inbox", "--decide")
        again.expect("[l]eave it:")
        again.type("e")
        again.expect('+   "order": 3')
        again.type("y")
        again.expect("recorded")
        self.assertEqual(again.end(), 0)
        self.assertEqual(self.paid(), [{"order": 3}])

    def test_from_a_script(self):
        file = self.served.folder / "args.json"
        file.write_text('{"order": 4}')
        for words, status, said in ((("--args", "{"), 1, "--args"), (("--args", "@/nowhere"), 1, "/nowhere"),
                                    (("--args", '{"order":1}'), 1, "nothing was changed"),
                                    ((), 1, "--args JSON"), (("--args", f"@{file}"), 0, '+   "order": 4')):
            done = run("edit", self.id, *words, "--data-dir", self.served.data)
            self.assertEqual(done.returncode, status, done)
            self.assertIn(said, done.stderr)
        self.assertEqual(self.paid(), [{"order": 4}])


if __name__ == "__main__":
    unittest.main()
