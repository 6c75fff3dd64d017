"""An MCP server over HTTP that is gone between what it did and its answer."""
import subprocess
import sys
import unittest

from mcp_test import HERE, NEVER, McpTest

ACTS = {"irreversible": True, "approval": "never"}


class OverHttp(McpTest):
    def start_shop(self, port=0):
        shop = subprocess.Popen([sys.executable, "-B", str(HERE / "http_tool_server.py"), str(self.folder), str(port)],
                                stdout=subprocess.PIPE, text=True)
        self.addCleanup(shop.wait)
        self.addCleanup(shop.kill)
        self.addCleanup(shop.stdout.close)
        self.port = int(shop.stdout.readline())
        return shop

    def shop(self, **more):
        return {"url": f"http://127.0.0.1:{self.port}/mcp", "allow_private": True,
                "once": {"pay": NEVER, "resumed": NEVER},
                "idempotent": {"refund": {**ACTS, "horizon": "1h",
                                          "retry": {"max_attempts": 50, "backoff": "50ms", "backoff_max": "200ms"}}},
                **more}

    def ledger(self):
        return self.noted("ledger.jsonl")

    def test_what_acts_once_is_in_doubt(self):
        shop = self.start_shop()
        server = self.serve()
        (self.folder / "dies").write_text("")
        self.asks("pay")
        task = server.api.submit("orders", "pay once")
        server.api.wait(task, "input_required")
        question = self.only(server.api.inbox(task))
        self.assertEqual(question["reason"], "uncertain_outcome")
        self.assertEqual(shop.wait(), -9)
        self.start_shop(self.port)
        server.api.resolve(question["id"], "happened")
        server.api.wait(task, "completed")
        self.assertEqual(len(self.ledger()), 1, "never sent again")

    def test_what_knows_its_key_is_sent_again_with_it(self):
        shop = self.start_shop()
        server = self.serve()
        (self.folder / "dies").write_text("")
        self.asks("refund")
        task = server.api.submit("orders", "refund safely")
        self.assertEqual(shop.wait(), -9)
        self.start_shop(self.port)
        server.api.wait(task, "completed")
        self.assertIn("done", self.told("refund safely"))
        self.assertEqual(len(self.ledger()), 2)
        self.assertEqual(len(set(self.ledger())), 1, "one key")

    def test_a_stream_that_has_ids_is_taken_up_again(self):
        self.start_shop()
        server = self.serve()
        self.assertIn("done", self.run_one(server, "resumed", "taken up"))
        self.assertEqual(len(self.ledger()), 1)


if __name__ == "__main__":
    unittest.main()
