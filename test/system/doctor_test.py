"""perdure doctor: what is damaged beside the journals is named, and written anew from them."""
import shutil
import sqlite3
import time
import unittest
import urllib.request

import answers
from case import SystemTest, agent, tool
from server import run

RETRY = {"max_attempts": 4, "backoff": "1s", "backoff_max": "1s"}


class Doctor(SystemTest):
    WEIGHT = 2

    def doctor(self, server, *flags):
        done = run("doctor", server.data, *flags)
        return done.returncode, done.stdout, done.stderr

    def sql(self, server, script, *values):
        database = sqlite3.connect(server.data / "perdure.db")
        with database:
            changed = database.execute(script, values).rowcount
        database.close()
        self.assertNotEqual(changed, 0, script)

    def rows(self, server):
        database = sqlite3.connect(f"file:{server.data}/perdure.db?immutable=1", uri=True)
        tables = [name for name, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = {table: sorted(map(repr, database.execute(f"SELECT * FROM {table}"))) for table in tables}
        database.close()
        return rows

    def world_of_tasks(self):
        """One of each kind: ended, asks a person, waits for a timer, in a call of a model, in a call of a tool."""
        names = ("look", "ship", "pay")
        self.world.rules(
            answers.says("Done.", contains="ended"),
            *(answers.calls(("c", name, {"order": self.id()}), round=0, contains=f"use {name}") for name in names),
            answers.says("Done.", contains="use "),
            {"path": answers.MODEL_PATH, "contains": "held",
             "steps": [["hold", "model"], *answers.stream(answers.text_chunks("Done."))]},
            answers.replies("/pay", {"paid": 1}), answers.replies("/look", {}, status=503),
            answers.held("/ship", "ship", {"shipped": 1}))
        config = self.config()
        config["tools"]["pay"] = tool(self.world, "/pay", "once", approval="always")
        config["tools"]["look"] = tool(self.world, "/look", retry={**RETRY, "backoff": "1h", "backoff_max": "1h"})
        config["server"] = {"drain": "100ms"}
        server = self.server(config)
        body = {"model": "main", "instructions": "Look.", "tools": ["look"]}
        self.assertEqual(server.api.call("PUT", "/v1/agents/mine", body).status, 201)
        made = server.api.post("/v1/keys", {"name": "ann", "scopes": ["run"]})
        self.assertEqual(made.status, 201, made)
        tasks = {text: server.api.submit("orders", text, key="key of " + text)
                 for text in ("ended", "use pay", "use look", "held", "use ship")}
        server.api.wait(tasks["ended"], "completed")
        server.api.wait(tasks["use pay"], "input_required")
        self.world.wait_held("model")
        self.world.wait_held("ship")
        self.world.wait_count(1, "/look", self.id())
        while not server.api.task(tasks["use look"])["waiting_for"]:
            time.sleep(0.05)
        server.kill()
        database = sqlite3.connect(server.data / "perdure.db")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        database.close()
        shutil.copytree(server.data, server.folder / "good")
        return server, tasks

    def restore(self, server):
        shutil.rmtree(server.data)
        shutil.copytree(server.folder / "good", server.data)

    def finish(self, server, tasks):
        """Every task comes to its end, and nothing is sent twice that was answered."""
        self.world.rules(
            answers.calls(("c", "pay", {"order": self.id()}), round=0, contains="use pay"),
            answers.says("Done."), answers.replies("/pay", {"paid": 1}), answers.replies("/look", {"seen": 1}),
            answers.replies("/ship", {"shipped": 1}))
        server.start()
        question = self.only(server.api.inbox(tasks["use pay"]))
        self.assertEqual(server.api.resolve(question["id"], "approve").status, 200)
        for text in ("ended", "use pay", "held", "use ship"):
            self.assertEqual(server.api.wait(tasks[text], "completed")["result"], {"text": "Done."}, text)
        self.assertEqual(server.api.task(tasks["use look"])["status"], "working")
        self.assertIn("perdure_tasks_quarantined 0\n", server.api.get("/metrics").body.decode())
        self.assertEqual(len(self.received("/pay", self.id())), 1)
        ships = self.received("/ship", self.id())
        self.assertEqual(len({request["headers"]["idempotency-key"] for request in ships}), 1)
        for text, task in tasks.items():
            self.assertEqual(server.api.submit("orders", text, key="key of " + text), task, "known by its key")
        self.assertEqual(server.stop(), 0)

    def wait_quarantined(self, server):
        """Until all rows were walked over."""
        for _ in range(400):
            if b"perdure_tasks_quarantined 1\n" in server.api.get("/metrics").body:
                return
            time.sleep(0.05)
        self.fail("no task was found to be damaged")

    def test_rows_are_written_anew_from_journals(self):
        server, tasks = self.world_of_tasks()
        status, said, _ = self.doctor(server)
        self.assertEqual((status, said.count("problem: ")), (0, 0), said)
        good = self.rows(server)
        status, said, _ = self.doctor(server, "--repair")
        self.assertEqual(status, 0, said)
        self.assertIn("nothing to repair", said)
        self.assertEqual(self.rows(server), good, "nothing was changed")
        open_key = "(SELECT min(task) FROM head WHERE task > 0)"
        changes = {
            "task.status": ("UPDATE task SET status = 3 WHERE ended_seq = 0", "row of task .* is not what was written"),
            "task.runnable": ("UPDATE task SET runnable = 1 - runnable", "row of task .* is not"),
            "task.waiting_for": ("UPDATE task SET waiting_for = '[]', digest = digest + 1 WHERE waiting_for <> '[]'",
                                 "row of task .* is not"),
            "task.created_ms": ("UPDATE task SET created_ms = created_ms + 4096", "row of task .* is not"),
            "task.ended_seq": ("UPDATE task SET ended_seq = 0 WHERE ended_seq > 0", "row of task .* is not"),
            "task.tenant": ("UPDATE task SET tenant = 77 WHERE key = 1", "a task of an unknown tenant: key 1"),
            "task.digest": ("UPDATE task SET digest = digest + 1", "row of task .* is not"),
            "tenant.name": ("UPDATE tenant SET name = name || 'x'", "row of task .* is not"),
            "tenant": ("DELETE FROM tenant", "a task of an unknown tenant"),
            "frame.tenant": ("UPDATE frame SET tenant = 9 WHERE pos = 1", "a frame of another tenant"),
            "timer.due_ms": ("UPDATE timer SET due_ms = due_ms + 65536", "row of timer .* is not"),
            "timer.name": ("UPDATE timer SET name = name || 'x'", "row of timer .* is not"),
            "timer.task": ("UPDATE timer SET task = zeroblob(16)", "a timer without its task"),
            "timer": ("DELETE FROM timer", "timers have a row, and the journal has"),
            "interrupt.seq": ("UPDATE interrupt SET seq = seq + 1", "row of the question .* is not"),
            "interrupt.reason": ("UPDATE interrupt SET reason = reason + 1", "row of the question .* is not"),
            "interrupt": ("DELETE FROM interrupt", "questions have a row, and the journal has"),
            "head.seq": (f"UPDATE head SET seq = seq + 1 WHERE task = {open_key}", "not the end that was written"),
            "head.chain": (f"UPDATE head SET chain = chain + 1 WHERE task = {open_key}",
                           "not the end that was written"),
            "head.task": (f"UPDATE head SET task = 999 WHERE task = {open_key}", "the end of a journal without"),
            "head": ("DELETE FROM head WHERE task > 0", "the row that says where it ends is missing"),
            "meta.secret": ("UPDATE meta SET secret = zeroblob(32)", "one of the two copies of the secret"),
            "meta_copy.secret": ("UPDATE meta_copy SET secret = zeroblob(32)", "one of the two copies of the secret"),
            "meta_copy": ("DELETE FROM meta_copy", "one of the two copies of the secret"),
            "meta.incarnation": ("UPDATE meta SET incarnation = incarnation + 64", "how often the store was opened"),
            "kept.agent": ("UPDATE kept SET value = value || ' ' WHERE kind = 'agent'", "row of agent .* is not"),
            "kept.key": ("UPDATE kept SET value = value || ' ' WHERE kind = 'key'", "row of key .* is not"),
        }
        for name, (change, named) in changes.items():
            with self.subTest(changed=name):
                self.restore(server)
                self.sql(server, change)
                status, said, _ = self.doctor(server)
                self.assertEqual(status, 2, said)
                self.assertRegex(said, "problem: .*" + named)
                status, said, told = self.doctor(server, "--repair")
                self.assertEqual(status, 0, said + told)
                self.assertNotIn("nothing to repair", said)
                mended = self.rows(server)
                self.assertEqual(mended["frame"], good["frame"])
                for table in set(good) - {"task", "kept", "tenant", "meta"}:
                    self.assertEqual(mended[table], good[table])
                status, said, _ = self.doctor(server, "--repair")
                self.assertEqual(status, 0, said)
                self.assertIn("nothing to repair", said)
                self.assertEqual(self.rows(server), mended)
        self.restore(server)
        for name in ("task.status", "task.tenant", "tenant.name", "timer", "interrupt.reason", "head.seq",
                     "meta.secret", "kept.key"):
            self.sql(server, changes[name][0])
        status, said, told = self.doctor(server, "--repair")
        self.assertEqual(status, 0, said + told)
        self.assertIn("make the key again", said)
        self.finish(server, tasks)
        self.assertEqual(self.doctor(server)[0], 0)

    def test_what_nothing_else_knows_is_lost(self):
        """The key of a request: the row stays, so that the request is still known by its content."""
        server, tasks = self.world_of_tasks()
        self.sql(server, "UPDATE idempotency SET hash = zeroblob(16) WHERE n = 1")
        for _ in range(2):
            status, said, _ = self.doctor(server, "--repair")
            self.assertEqual(status, 2, said)
            self.assertRegex(said, "(?m)^the idempotency key .* is lost, under which task "
                             f"{tasks['ended']} was submitted$")

    def test_a_damaged_journal_stays_as_it_is(self):
        server, tasks = self.world_of_tasks()
        self.sql(server, "UPDATE frame SET body = zeroblob(length(body)) WHERE task = "
                 "(SELECT key FROM interrupt JOIN task ON task.id = interrupt.task)")
        self.sql(server, "DELETE FROM interrupt")
        self.sql(server, "DELETE FROM frame WHERE pos = (SELECT pos FROM frame JOIN head ON head.task = frame.task "
                 "AND head.seq = first_seq + count - 1 WHERE frame.task = "
                 "(SELECT task.key FROM timer JOIN task ON task.id = timer.task))")
        good = self.rows(server)
        status, said, _ = self.doctor(server, "--repair")
        self.assertEqual(status, 2, said)
        for text in ("use pay", "use look"):
            self.assertRegex(said, f"(?m)^task {tasks[text]} stays as it is: journal of")
            self.assertRegex(said, f"(?m)^problem: task {tasks[text]} cannot go on: ")
        self.assertEqual(self.rows(server), good)

    def test_a_task_that_was_whole_goes_on(self):
        """A row that was damaged keeps its task still; once it is mended the task goes on."""
        server, tasks = self.world_of_tasks()
        self.sql(server, "UPDATE task SET updated_ms = updated_ms + 1 WHERE key = 2")
        server.start()
        reply = server.api.post(f"/v1/tasks/{tasks['use pay']}/cancel", {})
        self.assertEqual((reply.status, reply.json["code"]), (500, "damaged"), reply)
        self.wait_quarantined(server)
        self.assertEqual(server.stop(), 0)
        status, said, _ = self.doctor(server, "--repair")
        self.assertEqual(status, 0, said)
        self.assertRegex(said, f"(?m)^task {tasks['use pay']}: it is whole, and goes on$")
        self.finish(server, tasks)

    def test_a_damaged_task_that_was_ended_is_no_problem(self):
        server, tasks = self.world_of_tasks()
        asks = "(SELECT key FROM interrupt JOIN task ON task.id = interrupt.task)"
        self.sql(server, f"UPDATE frame SET body = zeroblob(length(body)) WHERE task = {asks}")
        self.assertEqual(self.doctor(server)[0], 2)
        server.start()
        self.assertEqual(server.api.post(f"/v1/tasks/{tasks['use pay']}/cancel", {}).status, 500)
        self.wait_quarantined(server)
        ended = urllib.request.Request(f"{server.url}/v1/tasks/{tasks['use pay']}/end-damaged", b"{}",
                                       {"Authorization": "Bearer " + server.token,
                                        "Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(ended) as reply:
            self.assertEqual(reply.status, 200)
        self.assertEqual(server.stop(), 0)
        for flags in ((), ("--repair",)):
            status, said, _ = self.doctor(server, *flags)
            self.assertEqual(status, 0, said)
            self.assertRegex(said, f"(?m)^task {tasks['use pay']} is damaged and was ended as such$")
        self.sql(server, "UPDATE task SET digest = 0 WHERE status = 4")
        status, said, _ = self.doctor(server, "--repair")
        self.assertEqual(status, 0, said)
        self.assertRegex(said, "(?m)^task .* as that of a damaged task that was ended$")

    def test_what_is_damaged_as_a_whole(self):
        """Nothing starts (74), nothing is repaired, and the way out is named."""
        server, tasks = self.world_of_tasks()
        cases = (("UPDATE meta SET secret = zeroblob(32); UPDATE meta_copy SET secret = zeroblob(32)", "backup", 1),
                 ("UPDATE head SET chain = chain + 1 WHERE task = 0", "--forget-lost-commits", 0))
        for script, way, forgotten in cases:
            with self.subTest(script):
                self.restore(server)
                for change in script.split("; "):
                    self.sql(server, change)
                with self.assertRaisesRegex(AssertionError, r"\(exit 74\)"):
                    server.start()
                self.assertEqual(self.doctor(server)[0], 2)
                status, said, told = self.doctor(server, "--repair")
                self.assertEqual(status, 1, said)
                self.assertIn(way, told)
                self.assertEqual(self.doctor(server, "--forget-lost-commits")[0], forgotten)
        self.assertEqual(self.doctor(server, "--repair")[0], 0)
        self.finish(server, tasks)

    def test_words_that_exclude_each_other(self):
        server = self.server(start=False)
        self.assertEqual(self.doctor(server, "--repair", "--forget-lost-commits")[0], 64)


if __name__ == "__main__":
    unittest.main()
