"""perdure tools and perdure keys against a running server."""
import json
import re
import sys
import unittest

import answers
from case import SystemTest
from server import run

# A server of tools over its standard input and output, with two of them; what it says of one of them
# stands in a file.
TOOL_SERVER = '''
import json, pathlib, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    result = {}
    if asked["method"] == "initialize":
        result = {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "shop", "version": "1"}}
    if asked["method"] == "tools/list":
        words = pathlib.Path(sys.argv[1]).read_text()
        schema = {"type": "object", "properties": {"order": {"type": "integer"}}}
        result = {"tools": [{"name": "get_order", "description": words, "inputSchema": schema},
                            {"name": "refund", "description": "Refunds.", "inputSchema": schema}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
'''


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

    def shop(self, policy=(), **contracts):
        config = self.config(policy=[*policy])
        self.served = self.server(config, start=False)
        self.words = self.served.folder / "words"
        self.words.write_text("Looks an order up.")
        script = self.served.folder / "shop.py"
        script.write_text(TOOL_SERVER)
        config["mcp"] = {"shop": {"command": [sys.executable, str(script), str(self.words)],
                                  "readable": [str(self.served.folder)], "unsafe_same_user": True, **contracts}}
        self.served.configure(config, {"orders": {"model": "main", "tools": ["look"]}})
        self.served.start()

    def undeclared(self):
        """What is to be put into the table of the server."""
        config = self.served.folder / "perdure.toml"
        out = self.cli("tools", "check", "--config", config, status=2).stdout
        return out[out.index("# into the table [mcp.shop]:\n"):].split("\n", 1)[1]

    def put(self, old, new):
        """Into the operator's file, and nothing is left to declare."""
        config = self.served.folder / "perdure.toml"
        text = config.read_text()
        self.assertIn(old, text)
        config.write_text(text.replace(old, new))
        self.served.stop()
        self.served.start()
        self.assertNotIn("[mcp", self.cli("tools", "check").stdout)

    def test_tools_that_are_not_declared(self):
        self.shop()
        lines = self.undeclared()
        self.assertIn('read = ["get_order"]', lines)
        self.assertIn("refund = {irreversible = true}", lines)
        self.put("[mcp.shop]\n", "[mcp.shop]\n" + lines)

    def test_tools_that_are_not_declared_beside_others(self):
        self.shop(read=["refund"])
        added = re.fullmatch(r"# add to `read`: (.*)  # .*\n", self.undeclared())
        self.assertEqual(added[1], '"get_order"')
        self.put('read = ["refund"]', f'read = ["refund", {added[1]}]')

    def test_names_of_no_tool(self):
        self.shop([{"tool": "shop.refnud", "then": "deny"}, {"tool": "shop.ref*", "then": "deny"}],
                  read=["get_order", "lits_*"], once={"refund": {"irreversible": True}})
        log = self.served.log_text().splitlines()
        said = self.only([line for line in log if "policy.no_tool" in line])
        self.assertIn('tool="shop.refnud" nearest="shop.refund"', said)
        self.assertIn('server="shop"', self.only([line for line in log if "tool.unsafe_same_user" in line]))
        self.assertIn('names="lits_*"', self.only([line for line in log if "mcp.no_tool" in line]))
        config = self.served.folder / "perdure.toml"
        out = self.cli("tools", "check", "--config", config, status=2).stdout
        self.assertIn("mcp.shop.read  is about no tool: 'shop.lits_*'", out)
        self.assertIn("policy[0]  is about no tool: 'shop.refnud'", out)
        self.assertEqual(out.count("is about no tool"), 2)

    def test_tools_that_change(self):
        self.shop(read=["get_order"], once={"refund": {"irreversible": True}})
        self.cli("tools", "check")
        self.served.stop()
        self.words.write_text("Looks an order up, and \u001b[2Jsends it.")
        self.served.start()
        out = self.cli("tools", "check", status=2).stdout
        self.assertIn("shop.get_order", out)
        self.assertIn("perdure tools accept shop", out)
        self.assertNotIn("\u001b", out)
        self.assertIn("shop.get_order", self.cli("tools", "accept", "shop").stdout)
        self.cli("tools", "check")
        self.assertIn("ok", self.cli("tools", "list").stdout)
        for line in self.cli("tools", "list", "--json").stdout.splitlines():
            json.loads(line)
        self.assertIn("nosuch", self.cli("tools", "accept", "nosuch", status=1).stderr)


if __name__ == "__main__":
    unittest.main()
