"""What one client may take of the server before the others would notice."""
import pathlib
import resource
import socket
import time
import unittest

import answers
from api import raw
from case import SystemTest, agent

MIB = 1 << 20


class Json(SystemTest):
    def setUp(self):
        self.api = self.server({"agents": {"manual": {"planner": "manual"}}}, agents={}).api

    def test_the_members_of_an_object_are_counted(self):
        names = [b'"%d":0' % number for number in range(20_001)]
        body = b'{"agent":"manual","input":{%s}}'
        reply = self.api.post("/v1/tasks", body % b",".join(names))
        self.assertEqual((reply.status, reply.json["code"]), (400, "invalid_json"))
        self.assertIn("more than 20000 members", reply.json["detail"])
        self.assertEqual(self.api.post("/v1/tasks", body % b",".join(names[1:])).status, 202)


class Bodies(SystemTest):
    def setUp(self):
        self.served = self.server({"agents": {"manual": {"planner": "manual"}}}, agents={})
        self.api = self.served.api

    def head(self, size, token=None):
        known = f"Authorization: Bearer {token}\r\n" if token else ""
        return (f"POST /v1/planners/manual/turns HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"{known}Content-Length: {size}\r\n\r\n").encode()

    def connect(self):
        host, port = self.api.address.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=10)
        self.addCleanup(connection.close)
        return connection

    def test_a_stranger_is_answered_before_the_body(self):
        for token in (None, "wrong"):
            answer = raw(self.api.address, self.head(30 * MIB, token), seconds=5)
            self.assertEqual(answer.split(b"\r\n")[0], b"HTTP/1.1 401 Unauthorized")
            self.assertIn(b"\r\nconnection: close\r\n", answer.lower())
        self.assertEqual(self.api.get("/v1/tasks").json["tasks"], [])

    def test_strangers_keep_no_body_out(self):
        for _ in range(9):  # as much as all unfinished bodies together may hold, and more
            connection = self.connect()
            connection.sendall(self.head(32 * MIB))
            try:
                connection.sendall(b"x" * (32 * MIB - 1))
            except OSError:
                pass  # it was cut off
        for _ in range(3):
            reply = self.api.post("/v1/tasks", {"agent": "manual", "input": "x" * (3 * MIB)})
            self.assertEqual(reply.status, 202, reply)

    def test_what_the_route_takes(self):
        token = self.served.token
        for path, size, status in (("/v1/tasks", 4 * MIB + 1, 413), ("/v1/tasks", 33 * MIB, 413),
                                   ("/v1/planners/manual/turns", 33 * MIB, 413), ("/v1/nowhere", 4 * MIB, 404)):
            head = self.head(size, token).replace(b"/v1/planners/manual/turns", path.encode())
            with self.subTest(f"{path} {size}"):
                answer = raw(self.api.address, head, seconds=5)
                self.assertEqual(answer[9:12].decode(), str(status), answer)

    def test_a_body_that_stands_still_is_cut(self):
        connection = self.connect()
        connection.sendall(self.head(2 * MIB, self.served.token) + b" " * (2 * MIB - 1))
        began = time.monotonic()
        connection.settimeout(20)
        self.assertEqual(connection.recv(65536)[:12], b"HTTP/1.1 408")
        self.assertTrue(8 < time.monotonic() - began < 15)


class Readers(SystemTest):
    ANSWER = 15 * MIB

    def setUp(self):
        self.served = self.server({"agents": {"manual": {"planner": "manual"}}}, agents={})
        self.api = self.served.api
        self.task = self.api.submit("manual", 1)
        plan = self.api.post("/v1/planners/manual/poll", {"version": "1", "wait_s": 10}).json["plan"]
        turn = {"task": self.task, "turn": plan["turn"], "upto_seq": plan["upto_seq"], "planner_version": "1",
                "actions": [{"complete": "x" * self.ANSWER}]}
        self.assertEqual(self.api.post("/v1/planners/manual/turns", turn).status, 200)
        self.api.wait(self.task, "completed")

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.served.process.pid}/status").read_text("utf-8")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def reads_nothing(self):
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = self.api.address.rsplit(":", 1)
        connection.connect((host, int(port)))
        connection.settimeout(20)
        connection.sendall(f"GET /v1/tasks/{self.task} HTTP/1.1\r\nHost: localhost\r\n"
                           f"Authorization: Bearer {self.served.token}\r\n\r\n".encode())
        return connection.recv(12)

    def test_answers_that_nobody_reads(self):
        self.assertEqual(len(self.api.get(f"/v1/tasks/{self.task}").json["result"]), self.ANSWER)
        before_mib = self.memory_mib()
        said = [self.reads_nothing() for _ in range(30)]
        self.assertIn(b"HTTP/1.1 503", said)
        self.assertLess(self.memory_mib() - before_mib, 64 + 120)  # and what answers took while they were made, two at once
        deadline = time.monotonic() + 20  # who stands still makes room for whoever reads
        while (reply := self.api.get(f"/v1/tasks/{self.task}")).status == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(len(reply.json["result"]), self.ANSWER)


class Descriptors(SystemTest):
    LIMIT = 256

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard > self.LIMIT:  # for good: this process has no other class of tests
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, self.LIMIT), self.LIMIT))
        self.api = self.server(self.config()).api

    def test_slow_models_keep_no_client_out(self):
        chunks = answers.text_chunks("Done.")
        self.world.rules({"path": answers.MODEL_PATH, "steps": answers.stream(chunks, hold="slow")})
        tasks = [self.api.submit("orders", f"wish {number}") for number in range(300)]
        self.world.wait_held("slow", 20)
        for _ in range(20):
            self.assertEqual(self.api.get("/healthz", token=None).status, 200)
            self.assertEqual(self.api.get("/v1/tasks?limit=1").status, 200)
        # More than comes together with the head: it needs the store's files as well.
        tasks.append(self.api.submit("orders", "x" * 300_000))
        self.assertLess(len(self.received(answers.MODEL_PATH)), 80, "the others wait")
        self.world.rules(answers.says("Done."))
        self.world.release("slow")
        for task in tasks:
            self.api.wait(task, "completed")
        sent = self.received(answers.MODEL_PATH)
        self.assertLessEqual(len(sent), len(tasks), "who waited was not sent twice")

    def test_idle_connections_of_strangers_keep_nobody_out(self):
        host, port = self.api.address.rsplit(":", 1)
        idle = []
        for _ in range(180):
            idle.append(socket.create_connection((host, int(port)), timeout=10))
            self.addCleanup(idle[-1].close)
        for _ in range(5):
            self.assertEqual(self.api.get("/v1/tasks").status, 200)


if __name__ == "__main__":
    unittest.main()
