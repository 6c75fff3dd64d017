"""Many connections that send slowly, are idle or hold streams open: nobody else notices."""
import resource
import unittest

from case import SystemTest
from slow_connections import measure

CONNECTIONS = 2_000


class SlowConnections(SystemTest):
    WEIGHT = 2

    def test_other_clients_go_on(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(hard, CONNECTIONS + 500)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        server = self.server({"agents": {"sleepers": {"planner": "script"}}}, agents={})
        found = measure(server, CONNECTIONS, seconds=14)  # longer than a header or a body may stand still
        self.assertEqual(found["busy"]["failures"], [])
        self.assertEqual(found["refused"], 0)
        self.assertEqual(found["opened"], CONNECTIONS)
        self.assertGreater(found["busy"]["requests"], 100)
        self.assertLess(found["busy"]["p99_ms"], 2_000, found)
        self.assertLess(found["kib_per_connection"], 64, found)
        self.assertGreater(found["answers"].get("header 408", 0), 0, "who never ends a header is cut")
        self.assertGreater(found["answers"].get("body 408", 0), 0, "who never ends a body is cut")
        server.stop()


if __name__ == "__main__":
    unittest.main()
