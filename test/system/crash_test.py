"""The server is killed (SIGKILL) in the middle of things and started again. What was recorded is not
done again, what was sent is known or asked about, and the task comes to its end."""
import json
import unittest

import answers
from case import SystemTest
from conversation import check_conversation, check_prefixes

MODEL = answers.MODEL_PATH


class CrashCase(SystemTest):
    def setUp(self):
        self.served = self.server()

    def tell(self, order, held=None):
        """An order of three rounds. `held`: (what, where) the world stops: a round of the model and
        the event before which, or a tool."""
        look, ship, pay = ({"order": order} for _ in range(3))
        streams = [answers.call_chunks(("c1", "look", look), ("c2", "ship", ship)),
                   answers.call_chunks(("c3", "pay", pay)), answers.text_chunks("Order done.")]
        rules = []
        for number, chunks in enumerate(streams):
            steps = answers.stream(chunks)
            if held and held[0] == number:
                steps.insert(held[1], ["hold", "here"])
            rules.append({"path": MODEL, "round": number, "steps": steps})
        for path in ("/look", "/ship", "/pay"):
            rule = answers.replies(path, {"did": path})
            if held and held[0] == path:
                rule["steps"].insert(held[1], ["hold", "here"])
            rules.append(rule)
        self.world.rules(*rules)

    def finish(self, task, order):
        """Answers what is asked, truthfully, until the end. Returns the ended task and the doubts."""
        doubts, api = [], self.served.api
        while (seen := api.wait(task))["status"] == "input_required":
            for question in api.inbox(task):
                self.assertEqual(question["reason"], "uncertain_outcome")
                self.assertEqual(question["action"]["tool"], "pay", "only `once` is asked about")
                doubts.append(question)
                arrived = self.received("/pay", order)
                decision = "happened" if arrived else "not_happened"
                more = {"result": {"did": "/pay"}} if arrived else {}
                self.assertEqual(api.resolve(question["id"], decision, **more).status, 200)
        self.assertEqual(seen["status"], "completed", seen)
        self.assertEqual(seen["result"], {"text": "Order done."})
        return seen, doubts

    def check_outside(self, order, kills=1):
        """What holds whatever the moment was."""
        bodies = self.model_bodies(order)
        by_round = {}
        for body in bodies:
            check_conversation(self, body)
            by_round.setdefault(len(json.loads(body)["messages"]), []).append(body)
        self.assertEqual(len(by_round), 3)
        for same in by_round.values():
            self.assertEqual(len(set(same)), 1, "a repeated request has the same bytes")
            self.assertLessEqual(len(same), 1 + kills)
        self.assertLessEqual(len(bodies), 3 + kills)
        check_prefixes(self, bodies)
        self.assertLessEqual(len(self.received("/pay", order)), 1, "`once` is never sent again")
        for path in ("/look", "/ship"):
            requests = self.received(path, order)
            self.assertIn(len(requests), range(1, 2 + kills))
            keys = {request["headers"]["idempotency-key"] for request in requests}
            self.assertEqual(len(keys), 1, "one effect, one key")

    def check_not_paid_again(self, order, answered):
        """`answered`: how many answers of the model were durable when it was killed."""
        for number in range(answered):
            asked = [b for b in self.model_bodies(order)
                     if sum(m["role"] == "assistant" for m in json.loads(b)["messages"]) == number]
            self.assertEqual(len(asked), 1, f"round {number} was recorded, and asked again")

    def crash(self):
        self.served.kill()
        self.world.release("here")
        self.served.start()


class KilledWhileHeld(CrashCase):
    WEIGHT = 3

    def killed_at(self, name, held):
        order = f"order-{name}"
        self.tell(order, held)
        task = self.served.api.submit("orders", order)
        self.world.wait_held("here")
        before = self.served.api.events(task)
        answered = sum(event["type"] == "model.answered" for event in before)
        self.crash()
        _, doubts = self.finish(task, order)
        self.check_outside(order)
        self.check_not_paid_again(order, answered)
        after = self.served.api.events(task)
        self.assertEqual(after[:len(before)], before, "what was shown stays")
        return order, doubts, [event["type"] for event in after]

    def test_in_a_model_call(self):
        for number in (0, 1, 2):
            for where, at in (("no-byte", 0), ("head-only", 1), ("first-event", 2), ("last-event", -1)):
                with self.subTest(round=number, where=where):
                    order, doubts, names = self.killed_at(f"model-{number}-{where}", (number, at))
                    self.assertEqual(doubts, [])
                    self.assertEqual(len(self.model_bodies(order)), 4, "that one is asked again")
                    self.assertIn("model.superseded", names)

    def test_in_a_read_or_idempotent_call(self):
        for path in ("/look", "/ship"):
            for where, at in (("unanswered", 0), ("half-answered", 2)):
                with self.subTest(path=path, where=where):
                    order, doubts, _ = self.killed_at(f"{path[1:]}-{where}", (path, at))
                    self.assertEqual(doubts, [])
                    twice = self.received(path, order)
                    self.assertEqual(len(twice), 2)
                    self.assertEqual(len({request["body"] for request in twice}), 1)
                    epochs = [int(request["headers"]["perdure-epoch"]) for request in twice]
                    self.assertLess(*epochs, "a later life has a larger epoch")
                    self.assertEqual(len(self.received("/pay", order)), 1)

    def test_in_a_call_that_may_be_made_once(self):
        for where, at in (("unanswered", 0), ("half-answered", 2)):
            with self.subTest(where=where):
                order, doubts, names = self.killed_at(f"pay-{where}", ("/pay", at))
                doubt = self.only(doubts)
                sent = self.only(self.received("/pay", order))
                self.assertEqual(doubt["action"]["key"], sent["headers"]["idempotency-key"])
                self.assertEqual(doubt["action"]["args"], {"order": order})
                self.assertIn("tool.in_doubt", names)
                last = json.loads(self.model_bodies(order)[-1])["messages"][-1]["content"]
                self.assertIn("A person has checked: the call took effect", last)


class KilledAtRecords(CrashCase):
    """Killed as soon as record k is seen, for every k."""
    WEIGHT = 5

    def killed_at_record(self, order, k):
        self.tell(order)
        api = self.served.api
        task = api.submit("orders", order)
        answered, seen = 0, []
        for event in api.stream(task):
            if event.id is None:
                continue
            seen.append(event.data)
            answered += event.name == "model.answered"
            if event.id >= k:
                break
        self.crash()
        self.finish(task, order)
        self.check_outside(order)
        self.check_not_paid_again(order, answered)
        after = self.served.api.events(task)
        self.assertEqual(after[:len(seen)], seen)

    def test_every_record(self):
        self.tell("order-plain")
        task = self.served.api.submit("orders", "order-plain")
        self.served.api.wait(task, "completed")
        records = len(self.served.api.journal(task))
        self.assertGreater(records, 20)
        for k in range(1, records + 1):
            with self.subTest(record=k):
                self.killed_at_record(f"order-{k:02}.", k)


class KilledTogether(CrashCase):
    """Many tasks under way at once: each keeps its own place."""
    WEIGHT = 3

    def test_twenty_tasks_and_three_kills(self):
        self.tell("shared")
        api = self.served.api
        orders = [f"many-{n:02}." for n in range(20)]
        # The same world answers all: arguments are those of 'shared', the task's words differ.
        tasks = {order: api.submit("orders", order) for order in orders}
        for kill in range(3):
            self.world.wait_count(8 * (kill + 1), MODEL)
            self.crash()
        for order, task in tasks.items():
            with self.subTest(order):
                while (seen := self.served.api.wait(task))["status"] == "input_required":
                    for question in self.served.api.inbox(task):
                        self.assertEqual(question["reason"], "uncertain_outcome")
                        self.served.api.resolve(question["id"], "happened")
                self.assertEqual(seen["status"], "completed")
                bodies = self.model_bodies(order)
                self.assertLessEqual(len(bodies), 3 + 3)
                for body in bodies:
                    check_conversation(self, body)
        keys = [r["headers"]["idempotency-key"] for r in self.received("/pay")]
        self.assertEqual(len(keys), len(set(keys)), "no `once` call was sent twice")


if __name__ == "__main__":
    unittest.main()
