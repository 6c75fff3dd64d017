"""Many connections that send slowly, are idle or hold streams open: nobody else notices."""
import resource
import unittest

from case import SystemTest
from slow_connections import broken_claims, measure

CONNECTIONS = 2_000


class SlowConnections(SystemTest):
    WEIGHT = 2

    def test_other_clients_go_on(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(hard, CONNECTIONS + 500)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        server = self.server({"agents": {"sleepers": {"planner": "script"}}}, agents={})
        found = measure(server, CONNECTIONS, seconds=14)  # longer than a header or a body may stand still
        self.assertEqual(broken_claims(found), [], found)
        worse = {**found, "refused": 1, "kib_per_connection": 65, "answers": {"body 408": 1}}
        self.assertEqual(len(broken_claims(worse)), 3, "it can fail")
        server.stop()


if __name__ == "__main__":
    unittest.main()
