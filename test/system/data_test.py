"""The data directory: in use, unusable, damaged; and what doctor says of it."""
import http.client
import random
import resource
import shutil
import sqlite3
import unittest

import answers
from case import SystemTest, agent
from server import run


class DataDirectory(SystemTest):
    WEIGHT = 2

    def setUp(self):
        self.world.rules(answers.says("Done."))

    def doctor(self, folder):
        done = run("doctor", folder)
        self.assertIn(done.returncode, (0, 1, 2), done)
        return done.returncode, done.stdout + done.stderr

    def with_tasks(self, count=4):
        server = self.server()
        tasks = [server.api.submit("orders", f"task {n} " + "x" * 2000) for n in range(count)]
        for task in tasks:
            server.api.wait(task, "completed")
        return server, tasks

    def test_one_process_at_a_time(self):
        server, tasks = self.with_tasks(1)
        done = run("serve", "--config", server.folder / "perdure.toml", "--data-dir", server.data, "--listen",
                   "127.0.0.1:0")
        self.assertEqual((done.returncode, done.stdout), (75, ""))
        self.assertIn(f"process {server.process.pid}", done.stderr)
        status, said = self.doctor(server.data)
        self.assertEqual(status, 1)
        self.assertIn(str(server.process.pid), said)
        self.assertEqual(server.api.task(tasks[0])["status"], "completed", "the first is not disturbed")

    def test_doctor_on_a_sound_store(self):
        server, tasks = self.with_tasks()
        records = sum(len(server.api.journal(task)) for task in tasks)
        for end in (server.kill, server.stop):
            end()
            status, said = self.doctor(server.data)
            self.assertEqual(status, 0, said)
            self.assertIn("4 tasks", said)
            self.assertIn(f"{records} records", said)
            self.assertIn(" 0 problems", said)
            server.start()

    def test_places_that_cannot_be_used(self):
        server = self.server(start=False)
        file = server.folder / "file"
        file.write_text("not a directory")
        for place in (file, file / "below", "/proc/nowhere"):
            done = run("serve", "--config", server.folder / "perdure.toml", "--data-dir", place)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn(str(place), done.stderr)
            status, said = self.doctor(place)
            self.assertEqual(status, 1, said)
            self.assertIn(str(place), said)

    def test_a_start_that_fails_late(self):
        """When it listens already, and cannot say where."""
        server = self.server(start=False)
        (server.data / "address").mkdir(mode=0o700, parents=True)
        server.data.chmod(0o700)
        done = run("serve", "--config", server.folder / "perdure.toml", "--data-dir", server.data, "--listen",
                   "127.0.0.1:0")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertIn(str(server.data / "address"), done.stderr)
        (server.data / "address").rmdir()
        server.start()
        self.assertEqual(server.api.wait(server.api.submit("orders", "now"), "completed")["status"], "completed")

    def test_a_disk_that_refuses(self):
        """Nobody is told that it worked, the process ends and says why, and the next one has everything."""
        server, tasks = self.with_tasks(2)
        limit = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, limit[1]))
        with self.assertRaises((OSError, http.client.HTTPException)):
            server.api.submit("orders", "on a full disk", key="full")
        self.assertEqual(server.ended(), 74)
        self.assertIn("store.failed", server.log_text())
        self.assertIn("perdure.db", server.log_text())
        server.start()
        for task in tasks:
            self.assertEqual(server.api.task(task)["status"], "completed")
        again = server.api.submit("orders", "on a full disk", key="full")
        self.assertEqual(server.api.wait(again, "completed")["status"], "completed")
        server.stop()
        status, said = self.doctor(server.data)
        self.assertEqual(status, 0, said)
        self.assertIn("3 tasks", said)

    def test_a_damaged_journal(self):
        """One task suffers, and says so; the others go on."""
        server, tasks = self.with_tasks()
        server.stop()
        database = sqlite3.connect(server.data / "perdure.db")
        key, = database.execute("SELECT key FROM task ORDER BY key LIMIT 1").fetchone()
        position, body = database.execute(
            "SELECT pos, body FROM frame WHERE task = ? ORDER BY first_seq LIMIT 1", (key,)).fetchone()
        middle = len(body) // 2
        with database:
            database.execute("UPDATE frame SET body = ? WHERE pos = ?",
                             (body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1:], position))
        database.close()
        status, said = self.doctor(server.data)
        self.assertEqual(status, 2, said)
        self.assertIn("problem: ", said)
        server.start()
        states = {task: server.api.get(f"/v1/tasks/{task}/journal").status for task in tasks}
        hurt = self.only([task for task, state in states.items() if state != 200])
        self.assertEqual(states[hurt], 500)
        self.assertEqual(server.api.get(f"/v1/tasks/{hurt}/journal").json["code"], "damaged")
        for task in set(tasks) - {hurt}:
            self.assertEqual(server.api.task(task)["result"], {"text": "Done."})
        after = server.api.submit("orders", "after the damage")
        server.api.wait(after, "completed")

    def test_a_damaged_question(self):
        self.world.rules(answers.calls(("c", "pay", {"order": 1})), answers.says("Done."))
        config = self.config()
        config["tools"]["pay"]["approval"] = "always"
        server = self.server(config)
        task = server.api.submit("orders", "pay it")
        server.api.wait(task, "input_required")
        question = self.only(server.api.inbox(task))
        server.kill()
        database = sqlite3.connect(server.data / "perdure.db")
        with database:
            database.execute("UPDATE frame SET body = substr(body, 1, length(body) - 3)")
        database.close()
        server.start()
        one, past = f"/v1/interrupts/{question['id']}", f"/v1/interrupts?task={task}&status=all"
        self.assertEqual(server.api.get(one).json, question, "its row is whole")
        for path in (past, one):  # whoever reads the journal finds it; then it is known
            self.until(lambda path=path: server.api.get(path).status == 500)
            self.assertEqual(server.api.get(path).json["code"], "damaged")

    def test_a_damaged_open_task(self):
        self.world.rules(answers.says("Done.", lacks="held"),
                         {"path": answers.MODEL_PATH, "steps": [["hold", "model"]]})
        server = self.server()
        open_tasks = [server.api.submit("orders", f"held {n}") for n in range(2)]
        self.world.wait_held("model", 2)
        server.kill()
        database = sqlite3.connect(server.data / "perdure.db")
        row = database.execute("SELECT pos, body FROM frame ORDER BY pos LIMIT 1").fetchone()
        with database:
            database.execute("UPDATE frame SET body = ? WHERE pos = ?", (row[1][:-3], row[0]))
        database.close()
        self.world.rules(answers.says("Done."))
        server.start()
        server.api.wait(open_tasks[1], "completed")
        metrics = server.api.get("/metrics").body.decode()
        self.assertIn("perdure_tasks_quarantined 1\n", metrics)
        self.assertEqual(server.api.get(f"/v1/tasks/{open_tasks[0]}/journal").json["code"], "damaged")

    def test_flipped_bytes(self):
        """Anywhere in the file, and where something stands: nothing crashes, and what doctor calls sound is
        whole. The header (100 bytes) also says who may write, which doctor does not."""
        server, journals, size = self.closed_store("perdure.db")
        random_, found = random.Random(7), 0
        used = [at for at, byte in enumerate((server.data / "perdure.db").read_bytes()) if byte and at >= 100]
        for at in [0, 18, *random_.choices(range(100, size), k=7), *random_.choices(used, k=7)]:
            with self.subTest(offset=at):
                status = self.flipped(server, "perdure.db", at)
                found += status != 0
                if server.is_running():
                    if status == 0:
                        for task, records in journals.items():
                            self.assertEqual(server.api.journal(task), records)
                    server.kill()
                else:
                    self.assertTrue(status != 0 or at < 100, "doctor called it sound")
        self.assertGreater(found, 2)

    def test_flipped_bytes_of_the_log(self):
        """SQLite takes a damaged frame of its log for the log's end. What was durable behind it is not left
        behind without a word: nothing starts until somebody says so."""
        server, tasks = self.with_tasks()
        journals = {task: server.api.journal(task) for task in tasks}
        server.kill()
        shutil.copytree(server.data, server.folder / "good")
        for at in (0, 40, 5000, 50_000, 150_000):
            with self.subTest(offset=at):
                self.assertEqual(self.flipped(server, "perdure.db-wal", at), 2)
                self.assertFalse(server.is_running())
                self.assertRegex(server.log_text().splitlines()[-1], "damaged at byte .*--forget-lost-commits")
                done = run("doctor", server.data, "--forget-lost-commits")
                if at < 100_000:
                    self.assertEqual(done.returncode, 1, "before, all is lost, the tables too")
                    self.assertIn("nothing would be left", done.stderr)
                    continue
                self.assertRegex(done.stdout, r"^forgotten: at least \d+ commits")
                self.assertIn(" 0 problems", done.stdout)
                server.start()
                for task in [item["id"] for item in server.api.get("/v1/tasks").json["tasks"]]:
                    self.assertEqual(server.api.journal(task)[0], journals[task][0])
                    server.api.wait(task, "completed")
                server.kill()

    def closed_store(self, name):
        """A closed store with nothing in its log, and what it holds."""
        server, tasks = self.with_tasks()
        journals = {task: server.api.journal(task) for task in tasks}
        server.stop()
        database = sqlite3.connect(server.data / "perdure.db")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        database.close()
        shutil.copytree(server.data, server.folder / "good")
        return server, journals, (server.data / name).stat().st_size

    def flipped(self, server, name, at):
        """Starts the server, if it starts, on the store with one byte changed; what doctor said."""
        shutil.rmtree(server.data)
        shutil.copytree(server.folder / "good", server.data)
        path = server.data / name
        good = path.read_bytes()
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x41]) + good[at + 1:])
        status, _ = self.doctor(server.data)
        try:
            server.start()
        except AssertionError as refused:
            self.assertRegex(str(refused), r"\(exit (1|74)\)")
        return status


class MissingBlob(SystemTest):
    def test_a_question_waits_for_its_arguments(self):
        """What was asked about is gone: nothing is sent, and the question is there when the file is back."""
        args = {"order": 1, "note": "x" * 300_000}  # more than stands in the database
        self.world.rules(answers.calls(("c", "pay", args), round=0), answers.says("Paid."),
                         answers.replies("/pay", {"paid": 1}))
        config = self.config()
        config["tools"]["pay"]["approval"] = "always"
        server = self.server(config)
        task = server.api.submit("orders", "pay it")
        other = server.api.submit("orders", "pay it too")
        for each in (task, other):
            server.api.wait(each, "input_required")
        question = self.only(server.api.inbox(task))
        self.assertEqual(server.stop(), 0)
        taken = {path: path.read_bytes() for path in (server.data / "blobs").rglob("*") if path.is_file()}
        self.assertGreater(len(taken), 0)
        for path in taken:
            path.unlink()
        done = run("doctor", server.data)
        self.assertNotEqual(done.returncode, 0, done)
        server.start()
        approve = f"/v1/interrupts/{question['id']}/resolve", {"decision": "approve"}
        for path, body in (approve, approve, (f"/v1/tasks/{task}/cancel", {}), (f"/v1/tasks/{task}/ack", {})):
            reply = server.api.post(path, body)
            self.assertEqual((reply.status, reply.json["code"]), (500, "damaged"), (path, reply))
        self.assertEqual(server.api.get("/v1/tasks/" + task).json["code"], "damaged")
        self.assertEqual(self.only(server.api.get("/v1/tasks?status=damaged").json["tasks"])["id"], task)
        self.assertIn("perdure_tasks_quarantined 1\n", server.api.get("/metrics").body.decode())
        self.assertEqual(self.received("/pay"), [])
        server.stop()
        for path, content in taken.items():
            path.write_bytes(content)
        server.start()
        self.assertEqual(server.api.resolve(question["id"], "approve").status, 200)
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Paid."})
        self.assertEqual(len(self.received("/pay")), 1)


    def test_a_result_that_is_gone(self):
        """The task is there: whoever is told that it is not would submit it again."""
        self.world.rules(answers.says("long " * 60_000))
        server = self.server()
        task = server.api.submit("orders", "say much")
        server.api.wait(task, "completed")
        for path in (server.data / "blobs").rglob("*"):
            if path.is_file() and path.stat().st_size > 250_000:
                path.unlink()
        reply = server.api.get("/v1/tasks/" + task)
        self.assertEqual((reply.status, reply.json["code"]), (500, "damaged"), reply)

    def test_an_agent_without_its_content(self):
        """It is damaged, and not unknown; and is whole when it is put again."""
        server = self.server()
        body = {"model": "main", "instructions": "Look.", "tools": ["look"]}
        version = server.api.call("PUT", "/v1/agents/mine", body).json["version"]
        server.stop()
        for path in (server.data / "blobs").rglob(version):
            path.unlink()
        server.start()
        for path in ("/v1/agents/mine", f"/v1/agents/mine/versions/{version}"):
            reply = server.api.get(path)
            self.assertEqual((reply.status, reply.json["code"]), (500, "damaged"), reply)
        self.assertEqual(server.api.call("PUT", "/v1/agents/mine", body).status, 200)
        self.assertEqual(server.api.get("/v1/agents/mine").json["version"], version)


class Backup(SystemTest):
    """docs/operations.md, "Backup": a copy of the data directory of a stopped server is one."""

    def copy(self, server):
        """Of the stopped server, verified."""
        copy = server.folder / "copy"
        shutil.copytree(server.data, copy)
        done = run("doctor", copy)
        self.assertEqual(done.returncode, 0, done)
        return copy

    def restore(self, server, copy):
        shutil.rmtree(server.data)
        shutil.copytree(copy, server.data)

    def test_the_task_goes_on_in_the_copy(self):
        self.world.rules(answers.calls(("c", "pay", {"order": 1}), round=0), answers.says("Paid."),
                         answers.replies("/pay", {"paid": 1}))
        config = self.config()
        config["tools"]["pay"]["approval"] = "always"
        server = self.server(config)
        text = "big " + "x" * 300_000  # more than stands in the database
        task = server.api.submit("orders", text)
        server.api.wait(task, "input_required")
        journal, token = server.api.journal(task), server.token
        self.assertEqual(server.stop(), 0)
        copy = self.copy(server)
        shutil.rmtree(server.data)
        server.data = copy
        server.start()
        self.assertEqual(server.token, token)
        self.assertEqual(server.api.journal(task)[:len(journal)], journal)
        question = self.only(server.api.get("/v1/interrupts").json["interrupts"])
        server.api.post(f"/v1/interrupts/{question['id']}/resolve", {"decision": "approve"})
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Paid."})
        self.assertEqual(len(self.received("/pay", "1")), 1)
        self.assertTrue(self.model_bodies("x" * 300_000))

    def test_an_older_copy_asks_before_it_acts(self):
        """What was done after the copy is not known to it. With the rule that the document gives, nothing is done
        before a person has looked."""
        act = answers.calls(("c", "pay", {"order": 2}), round=0)
        self.world.rules({**act, "steps": [["hold", "model"], *act["steps"]]}, answers.says("Paid."),
                         answers.replies("/pay", {"paid": 2}))
        server = self.server()
        task = server.api.submit("orders", "pay it")
        self.world.wait_held("model")
        server.kill()
        copy = self.copy(server)
        self.world.release("model")
        server.start()
        server.api.wait(task, "completed")
        server.stop()
        self.assertEqual(len(self.received("/pay", "2")), 1)
        self.restore(server, copy)
        server.configure(self.config(policy=[{"effect": ["once", "idempotent"], "then": "ask"}]), {"orders": agent()})
        server.start()
        server.api.wait(task, "input_required")
        self.assertEqual(len(self.received("/pay", "2")), 1, "nothing before a person has looked")
        question = self.only(server.api.get("/v1/interrupts").json["interrupts"])
        server.api.post(f"/v1/interrupts/{question['id']}/resolve", {"decision": "respond", "value": {"paid": 2}})
        server.api.wait(task, "completed")
        self.assertEqual(len(self.received("/pay", "2")), 1)


if __name__ == "__main__":
    unittest.main()
