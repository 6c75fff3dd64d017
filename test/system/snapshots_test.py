"""A task with a long journal is killed and goes on: through its snapshot, without one, and with one
that was damaged, it makes each call once and asks the model the same."""
import json
import time

import answers
from case import SystemTest, agent
from conversation import check_prefixes
from server import run

ROUNDS = 36
RECEIPT = "x" * 8_000  # of each payment: together more than what a snapshot is written for


class LongTask(SystemTest):
    WEIGHT = 4

    def tell(self, order, held):
        """So many rounds with a payment each; the world stops in the model's answer of round `held`."""
        rules = []
        for number in range(ROUNDS):
            steps = answers.stream(answers.call_chunks((f"c{number}", "pay", {"order": order, "n": number})))
            if number == held:
                steps.insert(1, ["hold", order])
            rules.append({"path": answers.MODEL_PATH, "round": number, "contains": order, "steps": steps})
        rules.append({"path": answers.MODEL_PATH, "round": ROUNDS, "contains": order,
                      "steps": answers.stream(answers.text_chunks("All paid."))})
        self.world.rules(*rules, answers.replies("/pay", {"paid": RECEIPT}))

    def begin(self, order, held=ROUNDS - 3, **server):
        self.tell(order, held)
        config = self.config()
        if server:
            config["server"] = server
        served = self.server(config, {"orders": agent(limits={"turns": 10_000})})
        task = served.api.submit("orders", order)
        self.world.wait_held(order)
        return served, task

    def begin_with_snapshots(self, order):
        served, task = self.begin(order)
        until = time.monotonic() + 20
        while len(self.snapshots(served)) < 2:
            self.assertLess(time.monotonic(), until, "no snapshots are written")
            time.sleep(0.05)
        return served, task

    def go_on(self, served, task, order):
        if served.is_running():
            served.kill()
        self.world.release(order)
        served.start()
        self.assertEqual(served.api.wait(task, "completed", seconds=60)["result"], {"text": "All paid."})

    def check_outside(self, order):
        paid = [json.loads(request["body"])["n"] for request in self.received("/pay", order)]
        self.assertEqual(paid, list(range(ROUNDS)), "each payment once, and in order")
        bodies = self.model_bodies(order)
        self.assertEqual(len(bodies), ROUNDS + 2, "the call that was under way is made again, no other")
        self.assertEqual(len(set(bodies)), ROUNDS + 1, "with the same bytes")
        check_prefixes(self, bodies)

    def snapshots(self, served):
        return sorted(path for path in (served.data / "snapshots").glob("*") if path.suffix != ".new")

    def metric(self, served, name):
        for line in served.api.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        self.fail(f"there is no {name}")

    def test_it_goes_on_through_its_snapshot_which_ends_with_it(self):
        served, task = self.begin_with_snapshots("order-through")
        self.assertEqual([path.suffix for path in self.snapshots(served)], [".planner", ".state"])
        self.assertGreater(self.metric(served, "perdure_snapshots_total"), 0)
        self.go_on(served, task, "order-through")
        self.check_outside("order-through")
        self.assertEqual(self.snapshots(served), [])
        self.assertNotIn("snapshot.", served.log_text(), "nothing was wrong with it")

    def test_one_that_was_damaged_is_dropped(self):
        served, task = self.begin_with_snapshots("order-damaged")
        served.kill()
        files = self.snapshots(served)
        self.assertEqual(len(files), 2)
        for path in files:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 4
            path.write_bytes(data)
        told = run("doctor", served.data).stdout
        self.assertEqual(told.count("note: the snapshot"), 2, told)
        self.assertIn(" 0 problems", told)
        self.go_on(served, task, "order-damaged")
        self.check_outside("order-damaged")
        self.assertIn("snapshot.damaged", served.log_text())
        self.assertNotIn("task.quarantined", served.log_text())

    def test_doctor_removes_one_that_was_damaged(self):
        served, task = self.begin_with_snapshots("order-mended")
        served.kill()
        for path in self.snapshots(served):
            path.write_bytes(path.read_bytes()[:-1])
        mended = run("doctor", served.data, "--repair")
        self.assertEqual(mended.returncode, 0)
        self.assertEqual(mended.stdout.count("the damaged snapshot"), 2, mended.stdout)
        self.assertEqual(self.snapshots(served), [])
        self.go_on(served, task, "order-mended")
        self.check_outside("order-mended")

    def test_without_them_it_is_the_same(self):
        served, task = self.begin("order-without", snapshots=False)
        self.assertFalse((served.data / "snapshots").exists())
        self.go_on(served, task, "order-without")
        self.check_outside("order-without")
