"""What the test files share: the outside world, an ordinary configuration, a server that is cleaned
up."""
import time
import unittest

import answers
from endpoint import Endpoint
from server import Server

RETRY = {"max_attempts": 4, "backoff": "10ms", "backoff_max": "20ms"}


def model(world, **more):
    return {"provider": "openai-chat", "base_url": world.url + "/v1", "model": "m-1",
            "allow_private": True, "price_per_mtok": {"input": 1.0, "output": 4.0}, "retry": RETRY, **more}


def tool(world, path, effect="read", **more):
    """A tool that no person is asked about, so that what is tested is the rest."""
    out = {"http": {"method": "POST", "url": world.url + path}, "effect": effect, "approval": "never",
           "allow_private": True, "retry": RETRY, "description": "Does it."}
    if effect in ("once", "idempotent"):
        out["irreversible"] = True
    if effect == "idempotent":
        out["horizon"] = "1h"
    return {**out, **more}


def agent(**more):
    return {"model": "main", "tools": ["*"], "instructions": "You handle orders.", **more}


class SystemTest(unittest.TestCase):
    """One outside world a class; as many servers as a test wants."""

    @classmethod
    def setUpClass(cls):
        cls.world = Endpoint()
        cls.addClassCleanup(cls.world.close)

    def config(self, **more):
        world = self.world
        return {"models": {"main": model(world)},
                "tools": {"look": tool(world, "/look"), "ship": tool(world, "/ship", "idempotent"),
                          "pay": tool(world, "/pay", "once")}, **more}

    def server(self, config=None, agents=None, env=None, start=True):
        agents = {"orders": agent()} if agents is None else agents
        server = Server(config or self.config(), agents, env)
        self.addCleanup(self.close_server, server)
        return server.start() if start else server

    def close_server(self, server):
        if self.has_failed() and (server.folder / "log").exists():
            print(f"--- the server's log, of {self.id()}:\n{server.log_text()[-1500:]}")
        server.close()

    def has_failed(self):
        result = self._outcome.result
        return any(self.id() in str(test) for test, _ in result.failures + result.errors)

    def received(self, path, contains=""):
        return self.world.requests(path, contains)

    def model_bodies(self, contains=""):
        return [request["body"] for request in self.received(answers.MODEL_PATH, contains)]

    def only(self, items):
        self.assertEqual(len(items), 1, items)
        return items[0]

    def until(self, what, seconds=20):
        deadline = time.monotonic() + seconds
        while not (seen := what()):
            self.assertLess(time.monotonic(), deadline, "it does not come")
            time.sleep(0.02)
        return seen
