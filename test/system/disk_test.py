"""A disk that fills up: new work is refused in time, and what runs goes on."""
import os
import subprocess
import tempfile
import time
import unittest

import answers
from case import SystemTest

MIB = 1 << 20
FILE = {"model": "main", "tools": ["look"], "instructions": "You look."}


class Space(SystemTest):
    def setUp(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0), answers.says("Done.", round=1),
                         answers.replies("/pay", 1))

    def serve(self, free):
        config = self.config(server={"disk_reserve_mib": 100})
        config["tools"]["pay"]["approval"] = "always"
        server = self.server(config, start=False)
        self.free = server.folder / "free"
        self.left(free)
        server.env["PERDURE_FREE_BYTES"] = str(self.free)
        return server.start()

    def left(self, mib):
        new = self.free.with_suffix(".new")
        new.write_text(str(mib * MIB))
        new.rename(self.free)

    def until(self, server, wanted):
        """Asks until new work is taken, or refused: the disk is not measured for each request."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if server.api.get("/readyz", token=None).json["new_work"] == wanted:
                return
        self.fail("never " + wanted)

    def metric(self, server, name):
        lines = server.api.get("/metrics").body.decode().splitlines()
        return float(self.only([line.split()[1] for line in lines if line.startswith(name + " ")]))

    def test_new_work_is_refused_and_what_runs_goes_on(self):
        server = self.serve(500)
        task = server.api.submit("orders", "first", key="k1")
        server.api.wait(task, "input_required")
        self.assertEqual(self.metric(server, "perdure_disk_low"), 0)
        self.left(99)
        self.until(server, "refused")
        for method, path, body in (("POST", "/v1/tasks", {"agent": "orders", "input": 2}),
                                   ("PUT", "/v1/agents/x", FILE),
                                   ("POST", "/v1/keys", {"name": "n", "scopes": ["run"]})):
            reply = server.api.call(method, path, body)
            self.assertEqual((reply.status, reply.json["code"]), (507, "disk_low"), path)
            self.assertIn("99 MiB left", reply.json["detail"])
            self.assertIn("retry-after", reply.headers)
        self.assertEqual(self.metric(server, "perdure_disk_low"), 1)
        self.assertEqual(self.metric(server, "perdure_disk_free_bytes"), 99 * MIB)
        again = server.api.post("/v1/tasks", {"agent": "orders", "input": "first"},
                                headers={"Idempotency-Key": "k1"})
        self.assertEqual((again.status, again.json["id"]), (202, task), "what was accepted is")
        self.assertEqual(server.api.resolve(self.only(server.api.inbox(task))["id"], "approve").status, 200)
        server.api.wait(task, "completed")
        self.left(113)
        self.until(server, "taken")
        server.api.submit("orders", "second")
        self.assertIn("disk.low", server.log_text())
        self.assertIn("disk.well", server.log_text())

    def test_a_start_with_little_room(self):
        server = self.serve(1)
        self.assertEqual(server.api.post("/v1/tasks", {"agent": "orders", "input": 2}).status, 507)
        self.assertEqual(server.api.get("/v1/tasks").status, 200)


class FullFileSystem(SystemTest):
    """A real one, of 96 MiB. Needs root to mount it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="perdure-disk-")
        self.addCleanup(os.rmdir, self.folder)
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", self.folder], capture_output=True).returncode == 0
        if not mounted:
            print("not run: a file system can be mounted by root alone")
            self.skipTest("cannot mount")
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=True)

    def test_a_full_disk_loses_nothing(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0), answers.says("Done.", round=1),
                         answers.replies("/pay", 1))
        config = self.config(server={"disk_reserve_mib": 16})
        config["tools"]["pay"]["approval"] = "always"
        server = self.server(config, start=False)
        server.data = type(server.data)(self.folder) / "data"
        server.start()
        accepted = []
        for n in range(1000):
            reply = server.api.post("/v1/tasks", {"agent": "orders", "input": f"{n} " + 1_000_000 * "x"})
            if reply.status != 202:
                break
            accepted.append(reply.json["id"])
        self.assertEqual((reply.status, reply.json["code"]), (507, "disk_low"), reply)
        self.assertGreater(len(accepted), 5)
        for task in accepted[:5]:
            server.api.wait(task, "input_required")
            server.api.resolve(self.only(server.api.inbox(task))["id"], "approve")
            server.api.wait(task, "completed")
        # Somebody else takes the rest: nothing may be acknowledged that is not there afterwards.
        ballast = os.path.join(self.folder, "ballast")
        with open(ballast, "wb") as file:
            try:
                while file.write(bytes(MIB)):
                    file.flush()
            except OSError:
                pass
        decided = []
        for task in accepted[5:]:
            try:
                question = self.only(server.api.inbox(task))["id"]
                if server.api.resolve(question, "reject", message="m" * 4000).status == 200:
                    decided.append(task)
            except (OSError, AssertionError):
                break
        os.unlink(ballast)
        if not server.is_running():
            self.assertEqual(server.ended(), 74)
        else:
            server.kill()
        server.start()
        for task in accepted:
            server.api.task(task)["status"]
        for task in decided:
            self.assertEqual(self.inbox_of(server, task), [], "what was answered stands")
        self.assertEqual({server.api.get("/v1/tasks/" + task).status for task in accepted}, {200})
        server.stop()

    def inbox_of(self, server, task):
        return server.api.inbox(task)


if __name__ == "__main__":
    unittest.main()
