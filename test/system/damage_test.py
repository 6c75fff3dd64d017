"""Stored bytes that are not what was written: the task they belong to stands still and says so, nothing of
it goes out twice, and everything else goes on."""
import contextlib
import json
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

import answers
from case import SystemTest, tool
from server import BINARY
from terminal import Terminal

READ, ONCE = 0, 4  # as test/golden/records/numbers.txt has them
ADMIN = 16


def flipped(data, at=-5):
    """With one bit of one byte changed."""
    out = bytearray(data)
    out[at] ^= 1
    return bytes(out)


def contract_at(body, name):
    """Where the contract of the planned call of this tool says what the call does (docs/journal.md)."""
    named = bytes([len(name)]) + name.encode()
    at = body.find(named)
    while at >= 0:
        place = at + len(named) + 2             # who executes it; whether it is guarded
        place += 33 if body[place] == 1 else 1  # its identity
        place += 1                              # the verdict
        place += 1 + body[place]                # and its reason
        if body[place] == ONCE:
            return place
        at = body.find(named, at + 1)
    return None


class Damage(SystemTest):
    LOOKS = ()  # the tools of which it looks first

    def rules(self, hold=True):
        """Each task makes one call of the tool that its words name, and is done."""
        names = ("pay", "ship", "mail")
        reply = {f"/{name}": answers.replies(f"/{name}", {"did": name}) for name in names}
        if hold:
            reply |= {path: {"path": path, "steps": [["hold", path]]} for path in ("/pay", "/ship")}
        first = (answers.calls(("l", "look", {"for": words}), round=0, contains=words)
                 for name in self.LOOKS for words in self.words(name))
        calls = (answers.calls((f"c-{name}", name, {"for": words}), round=int(name in self.LOOKS), contains=words)
                 for name in names for words in self.words(name))
        self.world.rules(*first, *calls, answers.says("Done."), answers.replies("/look", {"seen": 1}), *reply.values())

    def words(self, name):
        return [f"{name} of {self.id()} {n}" for n in range(3)]

    def served(self, **more):
        config = self.config(**more)
        config["tools"]["mail"] = tool(self.world, "/mail", "once", approval="always")
        return self.server(config)

    def under_way(self, server, name, count=1):
        """Tasks whose calls the world has, and has not answered."""
        tasks = [server.api.submit("orders", words) for words in self.words(name)[:count]]
        self.world.wait_held("/" + name, count)
        return tasks

    def sends(self, name, n=0):
        return self.received("/" + name, self.words(name)[n])

    @contextlib.contextmanager
    def store(self, server):
        database = sqlite3.connect(server.data / "perdure.db", timeout=20)
        try:
            with database:
                yield database
        finally:
            database.close()

    def frames(self, database, task):
        return database.execute("SELECT pos, first_seq, body, chain FROM frame WHERE task = "
                                "(SELECT key FROM task WHERE id = ?) ORDER BY first_seq", (self.key(database, task),)).fetchall()

    def key(self, database, task):
        """The bytes of this id: tasks have keys in the order of their submission."""
        return database.execute("SELECT id FROM task ORDER BY key").fetchall()[self.order.index(task)][0]

    def flip(self, server, task, frame, at=-5):
        with self.store(server) as database:
            pos, _, body, _ = self.frames(database, task)[frame]
            database.execute("UPDATE frame SET body = ? WHERE pos = ?", (flipped(body, at), pos))

    def damaged(self, server):
        return [item["id"] for item in server.api.get("/v1/tasks?status=damaged").json["tasks"]]

    def refused(self, reply):
        self.assertEqual((reply.status, reply.json["code"]), (500, "damaged"), reply)
        return reply.json["detail"]

    def cli(self, server, *words, status=0):
        done = subprocess.run([BINARY, *words, "--data-dir", server.data], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done)
        return done.stdout if status == 0 else done.stderr


class Found(Damage):
    def test_a_contract_that_says_read(self):
        """One byte of the journal makes of a call that is never repeated one that may be."""
        self.rules()
        server = self.served()
        hurt, = self.under_way(server, "pay")
        other, = self.under_way(server, "ship")
        asking = server.api.submit("orders", self.words("mail")[0])
        server.api.wait(asking, "input_required")
        question = self.only(server.api.inbox())
        self.order = [hurt, other, asking]
        server.kill()
        with self.store(server) as database:
            pos, body = self.only([(pos, body) for pos, _, body, _ in self.frames(database, hurt)
                                   if contract_at(body, "pay")])
            at = contract_at(body, "pay")
            database.execute("UPDATE frame SET body = ? WHERE pos = ?", (body[:at] + bytes([READ]) + body[at + 1:], pos))
        self.flip(server, asking, -1)
        self.rules(hold=False)
        server.start()
        server.api.wait(other, "completed")
        self.until(lambda: server.log_text().count("recovery.finished") == 2)
        self.assertEqual(len(self.sends("pay")), 1, "sent again")
        self.assertEqual(len(self.sends("ship")), 2)
        said = self.refused(server.api.get("/v1/tasks/" + hurt))
        self.assertIn("at record", said)
        self.assertIn("perdure tasks end-damaged " + hurt, said)
        for path in ("/events", "/journal", "/state"):
            self.refused(server.api.get(f"/v1/tasks/{hurt}{path}"))
        for path in ("/cancel", "/ack"):
            self.refused(server.api.post(f"/v1/tasks/{hurt}{path}", {}))
        self.assertEqual(self.only(server.api.inbox()), question, "its row is whole")
        self.refused(server.api.resolve(question["id"], "approve"))
        self.until(lambda: self.only(server.api.inbox())["status"] == "damaged")
        shown = self.only(server.api.inbox())
        self.assertEqual((shown["id"], shown["allowed_decisions"]), (question["id"], []))
        self.until(lambda: len(self.damaged(server)) == 2)
        self.assertEqual(self.damaged(server), [asking, hurt], "the newest first")
        listed = {item["id"]: item["status"] for item in server.api.get("/v1/tasks").json["tasks"]}
        self.assertEqual(listed, {hurt: "damaged", asking: "damaged", other: "completed"})
        self.assertIn("perdure_tasks_quarantined 2\n", server.api.get("/metrics").body.decode())
        self.assertRegex(server.log_text(), f"E task.quarantined task=\"{hurt}\" record=\"[1-9]")
        after = server.api.submit("orders", "after")
        server.api.wait(after, "completed")
        listed = self.cli(server, "tasks", "list", "--status", "damaged")
        self.assertIn(hurt, listed)
        self.assertNotIn(other, listed)
        inbox = self.cli(server, "inbox")
        self.assertIn("cannot be answered: its task is damaged", inbox)
        self.assertTrue(inbox.endswith("2 tasks are damaged: perdure tasks list --status damaged\n"), inbox)
        self.assertIn("cannot be answered", self.cli(server, "inbox", "--brief"))
        for command in (["tasks", "show", hurt[-8:]], ["events", hurt], ["events", hurt, "--follow"], ["tasks", "journal", hurt]):
            said = self.cli(server, *command, status=1)
            self.assertIn("is damaged at record", said)
            self.assertIn("perdure tasks end-damaged " + hurt, said)
        said = server.api.get(f"/v1/tasks/{hurt}/damage").json["damage"]
        self.assertEqual(said["record"], int(server.log_text().split(f'{hurt}" record="')[1].split('"')[0]))
        server.stop()
        server.start()
        self.assertEqual(self.damaged(server), [asking, hurt])
        self.assertEqual(len(self.sends("pay")), 1)
        self.assertEqual(self.sends("mail"), [])

    def test_the_secret_of_the_store(self):
        """The keys of calls come from it: with another one, a call would go out again under another key."""
        self.rules()
        server = self.served()
        task, = self.under_way(server, "ship")
        server.kill()
        with self.store(server) as database:
            secret, = database.execute("SELECT secret FROM meta").fetchone()
            database.execute("UPDATE meta SET secret = ?", (flipped(secret),))
        self.rules(hold=False)
        server.start()
        server.api.wait(task, "completed")
        first, second = self.sends("ship")
        self.assertEqual(first["headers"]["idempotency-key"], second["headers"]["idempotency-key"])
        self.assertIn("E store.secret_damaged", server.log_text())
        server.stop()
        with self.store(server) as database:
            database.execute("UPDATE meta_copy SET secret = ?", (flipped(secret),))
        with self.assertRaisesRegex(AssertionError, r"exit (1|74)\)(?s:.*)restore a backup"):
            server.start()

    def test_a_key_that_was_made_an_admin(self):
        server = self.server()
        made, good = (server.api.post("/v1/keys", {"name": name, "scopes": ["run"]}).json for name in ("a", "b"))
        self.assertEqual(server.api.get("/v1/keys", token=made["key"]).status, 403)
        server.stop()
        with self.store(server) as database:
            value, = database.execute("SELECT value FROM kept WHERE kind = 'key' AND name = ?", (made["id"],)).fetchone()
            new = json.loads(value)
            new["scopes"] |= ADMIN
            database.execute("UPDATE kept SET value = ? WHERE kind = 'key' AND name = ?",
                             (json.dumps(new, separators=(",", ":")), made["id"]))
        server.start()
        for path in ("/v1/keys", "/v1/tasks"):
            self.assertEqual(server.api.get(path, token=made["key"]).status, 401, path)
        self.assertEqual(server.api.get("/v1/tasks", token=good["key"]).status, 200)
        self.assertIn(f'E key.damaged tenant="default" key="{made["id"]}"', server.log_text())

    def test_the_newest_version_of_an_agent(self):
        """The one before is another agent than was put."""
        self.world.rules(answers.says("Done."))
        server = self.server()
        put = {"model": "main", "tools": ["look"]}
        for text in ("Look.", "Look twice."):
            version = server.api.call("PUT", "/v1/agents/mine", {**put, "instructions": text}).json["version"]
        server.stop()
        with self.store(server) as database:
            name, value = database.execute("SELECT name, value FROM kept WHERE kind = 'agent' ORDER BY name DESC").fetchone()
            database.execute("UPDATE kept SET value = ? WHERE name = ?", (value.replace('"by":"', '"by":"x'), name))
        server.start()
        submit = {"agent": "mine", "input": "go"}
        self.assertIn("put it again", self.refused(server.api.post("/v1/tasks", submit)))
        self.assertIn("E agent.damaged", server.log_text())
        again = server.api.call("PUT", "/v1/agents/mine", {**put, "instructions": "Look twice."})
        self.assertEqual((again.status // 100, again.json["version"]), (2, version))
        server.api.wait(server.api.post("/v1/tasks", submit).json["id"], "completed")

    def test_a_stream_that_is_open(self):
        """When what is damaged is found, and not only when somebody reads on."""
        self.world.rules(answers.calls(("c", "mail", {"note": "x" * 300_000}), round=0))  # a file of its own
        server = self.served()
        task = server.api.submit("orders", "go")
        server.api.wait(task, "input_required")
        question = self.only(server.api.inbox())
        seen, began = [], threading.Event()

        def watch():
            for event in server.api.stream(task):
                seen.append(event)
                began.set()
        watcher = threading.Thread(target=watch)
        watcher.start()
        self.assertTrue(began.wait(20))
        for path in (server.data / "blobs").rglob("*"):
            if path.is_file() and path.stat().st_size > 250_000:
                path.write_bytes(flipped(path.read_bytes()))
        self.refused(server.api.resolve(question["id"], "approve"))
        watcher.join(20)
        self.assertFalse(watcher.is_alive(), "it goes on")
        last = seen[-1]
        self.assertEqual((last.name, last.id, last.data["code"]), ("problem", None, "damaged"))
        self.assertIn("end-damaged", last.data["detail"])
        self.assertEqual(self.received("/mail", "xxx"), [])


    def test_a_turn_of_a_planner_outside(self):
        server = self.server(self.config(agents={"manual": {"planner": "manual"}}), {})
        task = server.api.submit("manual", "go")
        self.order = [task]
        plan = server.api.post("/v1/planners/manual/poll", {"version": "m/1", "wait_s": 10}).json["plan"]
        server.kill()
        self.flip(server, task, 0)
        server.start()
        turn = {key: plan[key] for key in ("task", "turn", "upto_seq")} | {"planner_version": "m/1", "actions": []}
        self.refused(server.api.post("/v1/planners/manual/turns", turn))


class Rows(Damage):
    WEIGHT = 2
    LOOKS = ("pay",)

    # What is done to the store, of the task :t and another one of the same kind, :o.
    FRAME = "(SELECT {} FROM frame WHERE task = (SELECT key FROM task WHERE id = :t))"
    CHANGES = {
        "a task that is not runnable": "UPDATE task SET runnable = 0 WHERE id = :t",
        "a task that is said to have completed": "UPDATE task SET status = 3, runnable = 0 WHERE id = :t",
        "the newest frame is gone": "DELETE FROM frame WHERE pos = " + FRAME.format("max(pos)"),
        "a frame in the middle is gone":
            "DELETE FROM frame WHERE pos = (SELECT pos FROM frame WHERE task = (SELECT key FROM task WHERE id = :t) "
            "ORDER BY first_seq LIMIT 1 OFFSET 1)",
        "the body of another task":
            "UPDATE frame SET body = (SELECT body FROM frame WHERE task = (SELECT key FROM task WHERE id = :o) "
            "ORDER BY first_seq DESC LIMIT 1) WHERE pos = " + FRAME.format("max(pos)"),
        "another chain": "UPDATE frame SET chain = randomblob(32) WHERE pos = " + FRAME.format("max(pos)"),
        "another number of records": "UPDATE frame SET count = count + 1 WHERE pos = " + FRAME.format("max(pos)"),
    }

    def test_rows_that_were_changed(self):
        """Each stops its task and no other."""
        self.rules()
        server = self.served()
        hurt, twin = self.under_way(server, "pay", 2)
        other, = self.under_way(server, "ship")
        self.order = [hurt, twin, other]
        server.kill()
        shutil.copytree(server.data, server.folder / "good")
        self.rules(hold=False)
        for name, sql in self.CHANGES.items():
            with self.subTest(name):
                shutil.rmtree(server.data)
                shutil.copytree(server.folder / "good", server.data)
                with self.store(server) as database:
                    self.assertGreaterEqual(len(self.frames(database, hurt)), 3)
                    changed = database.execute(sql, {"t": self.key(database, hurt), "o": self.key(database, twin)}
                                               if ":o" in sql else {"t": self.key(database, hurt)}).rowcount
                    self.assertEqual(changed, 1)
                server.start()
                server.api.wait(other, "completed")
                server.api.wait(twin, "input_required")
                self.assertEqual(self.until(lambda: self.damaged(server)), [hurt])
                self.refused(server.api.get("/v1/tasks/" + hurt))
                self.assertEqual([item["task"] for item in server.api.inbox() if item["status"] == "open"], [twin])
                server.kill()
                self.assertEqual((len(self.sends("pay", 0)), len(self.sends("pay", 1))), (1, 1), "sent again")

    def test_a_request_that_comes_again(self):
        """Whether it was accepted before cannot be told any more: it is not taken for a new one."""
        self.world.rules(answers.says("Done."))
        for column, change in (("request_hash", "randomblob(32)"), ("hash", "randomblob(16)"), ("created_ms", "created_ms + 1")):
            with self.subTest(column):
                server = self.server()
                task = server.api.submit("orders", "once", key="k")
                server.api.wait(task, "completed")
                server.stop()
                with self.store(server) as database:
                    database.execute(f"UPDATE idempotency SET {column} = {change}")
                server.start()
                self.until(lambda: "row.damaged" in server.log_text())
                reply = server.api.post("/v1/tasks", {"agent": "orders", "input": "once"}, headers={"Idempotency-Key": '"k"'})
                self.refused(reply)
                self.assertEqual([item["id"] for item in server.api.get("/v1/tasks").json["tasks"]], [task])
                self.assertNotEqual(server.api.submit("orders", "another", key="l"), task)
                server.close()


class Ended(Damage):
    def hurt(self, count=1):
        """Tasks whose first record is damaged, with their calls under way."""
        self.rules()
        server = self.served()
        self.order = self.under_way(server, "pay", count)
        server.kill()
        for task in self.order:
            self.flip(server, task, 0)
        self.before = self.journal(server)
        self.rules(hold=False)
        server.start()
        self.until(lambda: len(self.damaged(server)) == count)
        return server

    def journal(self, server):
        with self.store(server) as database:
            return [self.frames(database, task) for task in self.order]

    def check_ended(self, server, task, n=0):
        shown = server.api.task(task)
        self.assertEqual((shown["status"], shown["stop_reason"]), ("failed", "damaged"))
        effect = self.only(shown["damage"]["open_effects"])
        self.assertEqual((effect["tool"], effect["effect"], effect["attempts"]), ("pay", "once", 1))
        sent = self.only(self.sends("pay", n))
        self.assertEqual(effect["key"], sent["headers"]["idempotency-key"])
        return shown

    def test_over_http(self):
        server = self.hurt()
        task, = self.order
        said = server.api.get(f"/v1/tasks/{task}/damage").json["damage"]
        self.assertEqual(said["record"], 1)
        self.assertEqual(self.only(said["open_effects"])["tool"], "pay")
        approver = server.api.post("/v1/keys", {"name": "ann", "scopes": ["run", "approve"]}).json["key"]
        end = f"/v1/tasks/{task}/end-damaged", {}
        self.assertEqual(server.api.post(*end, token=approver).status, 403)
        ended = server.api.post(*end)
        self.assertEqual(ended.status, 200, ended)
        self.assertEqual(ended.json, self.check_ended(server, task))
        self.assertTrue(ended.json["damage"]["ended_by"])
        self.assertEqual(server.api.post(*end).status, 409)
        self.assertEqual(self.damaged(server), [])
        self.assertIn("perdure_tasks_quarantined 0\n", server.api.get("/metrics").body.decode())
        self.assertIn("W task.ended_damaged", server.log_text())
        for path in ("/journal", "/events"):
            self.assertIn("has ended it as it was", self.refused(server.api.get(f"/v1/tasks/{task}{path}")))
        server.kill()
        server.start()
        self.assertEqual(self.check_ended(server, task), ended.json)
        self.assertEqual(server.api.get("/v1/tasks?status=failed").json["tasks"][0]["id"], task)
        server.stop()
        self.assertEqual(self.journal(server), self.before)

    def test_what_is_not_damaged(self):
        self.world.rules(answers.says("Done."))
        server = self.server()
        task = server.api.submit("orders", "go")
        server.api.wait(task, "completed")
        self.assertEqual(server.api.post(f"/v1/tasks/{task}/end-damaged", {}).status, 409)
        self.assertEqual(server.api.get(f"/v1/tasks/{task}/damage").status, 404)
        self.assertIn("is not damaged", self.cli(server, "tasks", "end-damaged", task, "--yes", status=1))

    def test_at_a_terminal(self):
        server = self.hurt(3)
        first, second, third = self.order
        key = self.only(self.sends("pay"))["headers"]["idempotency-key"]
        said = self.cli(server, "tasks", "end-damaged", first, status=1)
        self.assertIn("--yes", said)
        self.assertIn(f"key {key}: look there", said)
        self.assertEqual(len(self.damaged(server)), 3, "nothing was done")
        self.assertIn(f"key {key}: look there", self.cli(server, "tasks", "end-damaged", first[-8:], "--yes"))
        self.check_ended(server, first)
        for task, answer, status in ((second, "n", 1), (third, "y", 0)):
            screen = Terminal("tasks", "end-damaged", task, "--data-dir", server.data)
            self.addCleanup(screen.close)
            self.assertIn("may have happened: pay, sent ", screen.expect("[y/N]"))
            screen.type(answer)
            self.assertEqual(screen.end(), status, screen.text)
        self.assertEqual(self.damaged(server), [second])
        self.check_ended(server, third, 2)

    def test_what_is_mended_goes_on(self):
        server = self.hurt()
        task, = self.order
        server.stop()
        self.flip(server, task, 0)
        server.start()
        self.assertEqual(self.damaged(server), [])
        self.assertIn(f'W task.whole_again task="{task}"', server.log_text())
        self.assertEqual(server.api.wait(task, "input_required")["waiting_for"][0]["reason"], "uncertain_outcome")
        self.assertEqual(len(self.sends("pay")), 1)


if __name__ == "__main__":
    unittest.main()
