"""Submission, waiting, cancelling, acknowledging: what a client may rely on."""
import concurrent.futures
import threading
import unittest

import answers
from case import SystemTest


class Submission(SystemTest):
    def setUp(self):
        self.world.rules(answers.says("Done.", lacks="slow"), answers.held("/look", "look", 1),
                         {"path": answers.MODEL_PATH, "steps":
                          answers.stream(answers.text_chunks("Slow."), "slow", 0)})

    def post(self, server, value, key, **headers):
        return server.api.post("/v1/tasks", {"agent": "orders", "input": value},
                               headers={"Idempotency-Key": key, **headers})

    def test_two_hundred_at_once_are_one(self):
        server, together = self.server(), threading.Barrier(200)

        def submit(_):
            together.wait(30)
            return self.post(server, "one", '"the same"')
        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            replies = list(pool.map(submit, range(200)))
        self.assertEqual({reply.status for reply in replies}, {202}, replies[:3])
        task = self.only(sorted({reply.json["id"] for reply in replies}))
        replayed = sum(reply.headers.get("idempotency-replayed") == "true" for reply in replies)
        self.assertEqual(replayed, 199)
        server.api.wait(task, "completed")
        self.assertEqual(len(server.api.get("/v1/tasks").json["tasks"]), 1)
        self.assertEqual(len(self.model_bodies('"one"')), 1)

    def test_a_key_stands_for_one_body(self):
        server = self.server()
        first = self.post(server, "two", "k-2").json["id"]
        self.assertEqual(self.post(server, "two", "k-2").json["id"], first)
        self.assertEqual(self.post(server, "two", '"k-2"').json["id"], first, "quoted or not")
        same = server.api.call("POST", "/v1/tasks", b'{ "input":"tw\\u006f" ,"agent":"orders"}',
                               headers={"Idempotency-Key": "k-2"})
        self.assertEqual(same.json["id"], first, "the same value, spelt otherwise")
        other = self.post(server, "three", "k-2")
        self.assertEqual((other.status, other.json["code"]), (422, "idempotency_key_reused"))
        self.assertNotEqual(self.post(server, "two", "k-3").json["id"], first)
        server.api.wait(first, "completed")
        server.kill()
        server.start()
        again = self.post(server, "two", "k-2")
        self.assertEqual((again.status, again.json["id"]), (202, first), "after a restart too")
        self.assertEqual(again.json["status"], "completed")
        self.assertEqual(self.post(server, "three", "k-2").status, 422)

    def test_a_session_finds_its_tasks(self):
        server = self.server()
        chat = [server.api.submit("orders", f"s {n}", session="ticket 7/ü") for n in range(3)]
        other = server.api.submit("orders", "s other", session="ticket 7")
        none = server.api.submit("orders", "s none")
        server.api.wait(chat[2], "completed")
        server.kill()
        server.start()
        listed = lambda query: [task["id"] for task in server.api.get("/v1/tasks?" + query).json["tasks"]]
        self.assertEqual(listed("session=ticket%207%2F%C3%BC"), chat[::-1])
        first = server.api.get("/v1/tasks?session=ticket%207%2F%C3%BC&limit=2").json
        self.assertEqual([task["session"] for task in first["tasks"]], ["ticket 7/ü"] * 2)
        self.assertEqual(listed("session=ticket%207%2F%C3%BC&cursor=" + first["next_cursor"]), chat[:1])
        self.assertEqual(listed("session=ticket%207&agent=orders"), [other])
        self.assertEqual(listed("session=ticket"), [])
        self.assertEqual(server.api.task(other)["session"], "ticket 7")
        self.assertNotIn("session", server.api.task(none))
        self.assertEqual(server.api.events(other)[0]["data"]["session"], "ticket 7")
        for wrong in ("", "x" * 129, "a\nb", 7, None):
            reply = server.api.post("/v1/tasks", {"agent": "orders", "input": 1, "session": wrong})
            self.assertEqual(reply.status, 422, wrong)
            self.assertIn("session", reply.json["detail"])

    def test_bad_keys(self):
        server = self.server()
        for key in ("", '"open', "x" * 1000, '""'):
            reply = self.post(server, 1, key)
            self.assertEqual((reply.status, reply.json["code"]), (400, "invalid_idempotency_key"), key)

    def test_prefer_wait(self):
        server = self.server()
        reply = self.post(server, "quick", "k-4", Prefer="wait=20")
        self.assertEqual((reply.status, reply.json["status"]), (200, "completed"), reply)
        self.assertEqual(reply.json["result"], {"text": "Done."})
        self.assertEqual(reply.headers["preference-applied"], "wait=20")
        again = self.post(server, "quick", "k-4", Prefer="wait=20")
        self.assertEqual((again.status, again.json["id"]), (200, reply.json["id"]))
        slow = self.post(server, "slow", "k-5", Prefer="wait=1")
        self.assertEqual((slow.status, slow.json["status"]), (202, "working"), slow)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.post, server, "slow", "k-5", Prefer="wait=20")
            self.world.release("slow")
            self.assertEqual(waiting.result().json["result"], {"text": "Slow."})

    def test_long_poll_and_etags(self):
        server = self.server()
        task = server.api.submit("orders", "slow poll")
        self.world.wait_held("slow")
        seen = server.api.get("/v1/tasks/" + task)
        tag = {"If-None-Match": seen.headers["etag"]}
        self.assertEqual(server.api.get("/v1/tasks/" + task, headers=tag).status, 304)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(server.api.get, f"/v1/tasks/{task}?wait=20", headers=tag)
            self.world.release("slow")
            ended = waiting.result()
        self.assertEqual((ended.status, ended.json["status"]), (200, "completed"))

    def test_lists(self):
        server = self.server()
        made = [server.api.submit("orders", f"n {n}") for n in range(7)]
        for task in made:
            server.api.wait(task, "completed")
        self.assertEqual(server.api.get("/v1/tasks?status=working").json["tasks"], [])
        seen, cursor = [], ""
        for _ in range(4):
            page = server.api.get("/v1/tasks?limit=3&status=completed" + cursor).json
            seen += [item["id"] for item in page["tasks"]]
            if not page["next_cursor"]:
                break
            cursor = "&cursor=" + page["next_cursor"]
        self.assertEqual(seen, sorted(made, reverse=True), "newest first, each once")
        self.assertEqual(server.api.get("/v1/tasks?agent=other").json["tasks"], [])

    def pages(self, server, query):
        """The ids of all pages; between them somebody submits more."""
        seen, cursor = [], ""
        while True:
            page = server.api.get(f"/v1/tasks?{query}{cursor}").json
            seen += [item["id"] for item in page["tasks"]]
            if page["next_cursor"] is None:
                return seen
            cursor = "&cursor=" + page["next_cursor"]
            server.api.submit("orders", "meanwhile", metadata={"who": "ann", "n": 1})

    def test_filters(self):
        server = self.server()
        made = [server.api.submit("orders", f"f {n}", metadata={"who": ("ann", "bob")[n % 2], "n": n, "vip": n > 3})
                for n in range(7)]
        times = [server.api.task(task)["created_at"] for task in made]
        self.assertEqual(self.pages(server, "metadata.who=bob"), [made[5], made[3], made[1]])
        self.assertEqual(self.pages(server, "metadata.who=bob&metadata.n=3"), [made[3]])
        self.assertEqual(self.pages(server, "metadata.vip=true&metadata.who=ann&limit=1"), [made[6], made[4]])
        self.assertEqual(self.pages(server, "metadata.n=%223%22"), [])
        self.assertEqual(self.pages(server, "metadata.none=1"), [])
        first = times.index(times[3])
        self.assertEqual(self.pages(server, f"created_before={times[3]}&limit=2"), made[:first][::-1])
        later = [task for task, time in zip(made, times) if times[2] <= time < times[5]]
        self.assertEqual(self.pages(server, f"created_after={times[2]}&created_before={times[5]}&limit=1"),
                         later[::-1])
        self.assertEqual(self.pages(server, "created_after=2100-01-01T00:00:00Z"), [])
        for wrong in ("created_after=yesterday", "created_before=2026-01-01", "cursor=x", "metdata.who=bob"):
            self.assertEqual(server.api.get("/v1/tasks?" + wrong).status, 422, wrong)

    def test_acknowledgement(self):
        server = self.server()
        task = server.api.submit("orders", "slow ack")
        self.world.wait_held("slow")
        early = server.api.post(f"/v1/tasks/{task}/ack", {})
        self.assertEqual(early.status, 409, "it has no result yet")
        self.world.release("slow")
        server.api.wait(task, "completed")
        for _ in range(2):
            self.assertEqual(server.api.post(f"/v1/tasks/{task}/ack", {}).status, 200)
        names = [event["type"] for event in server.api.events(task)]
        self.assertEqual(names.count("task.acknowledged"), 1)


class Cancelling(SystemTest):
    def hold_pay(self):
        self.world.rules(answers.calls(("c1", "pay", {"order": 1}), round=0), answers.says("Paid.", round=1),
                         answers.held("/pay", "pay", {"paid": True}))

    def test_with_a_call_under_way(self):
        self.hold_pay()
        server = self.server()
        task = server.api.submit("orders", "cancel me")
        self.world.wait_held("pay")
        self.assertEqual(server.api.post(f"/v1/tasks/{task}/cancel", {"reason": "enough"}).status, 200)
        seen = server.api.task(task)
        self.assertEqual((seen["status"], seen["phase"]), ("working", "cancelling"))
        self.world.release("pay")
        self.assertEqual(server.api.wait(task, "cancelled")["stop_reason"], "cancelled")
        names = [event["type"] for event in server.api.events(task)]
        self.assertLess(names.index("task.cancelling"), names.index("tool.succeeded"))
        self.assertEqual(len(self.received("/pay")), 1)
        self.assertEqual(len(self.model_bodies("cancel me")), 1, "the model is not asked any more")
        again = server.api.post(f"/v1/tasks/{task}/cancel", {})
        self.assertIn(again.status, (200, 409))
        self.assertEqual(server.api.task(task)["status"], "cancelled")

    def test_with_a_doubt(self):
        self.hold_pay()
        server = self.server()
        task = server.api.submit("orders", "cancel in doubt")
        self.world.wait_held("pay")
        server.api.post(f"/v1/tasks/{task}/cancel", {})
        server.kill()
        server.start()
        next(event for event in server.api.stream(task) if event.name == "interrupt.requested")
        seen = server.api.task(task)
        self.assertEqual((seen["status"], seen["phase"]), ("working", "cancelling"))
        question = self.only(server.api.inbox(task))
        self.assertEqual(question["reason"], "uncertain_outcome")
        self.assertEqual(server.api.resolve(question["id"], "dismiss").status, 200)
        server.api.wait(task, "cancelled")

    def test_while_a_model_streams(self):
        self.world.rules({"path": answers.MODEL_PATH,
                          "steps": answers.stream(answers.text_chunks("Long text"), "stream", 2)})
        server = self.server()
        task = server.api.submit("orders", "cancel the model")
        self.world.wait_held("stream")
        server.api.post(f"/v1/tasks/{task}/cancel", {})
        server.api.wait(task, "cancelled")  # the call is given up: nobody waits for the rest
        self.world.release("stream")

    def test_a_finished_task_stays(self):
        self.world.rules(answers.says("Done."))
        server = self.server()
        task = server.api.submit("orders", "finish first")
        before = server.api.wait(task, "completed")
        self.assertEqual(server.api.post(f"/v1/tasks/{task}/cancel", {}).status, 409)
        self.assertEqual(server.api.task(task), before)


if __name__ == "__main__":
    unittest.main()
