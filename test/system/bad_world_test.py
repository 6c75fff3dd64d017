"""Models and tools that answer badly, late, too much or not at all."""
import json
import time
import unittest

import answers
from case import SystemTest, model, tool

PATH = answers.MODEL_PATH


def whole(status, body, **headers):
    return [["head", status, {"Content-Type": "application/json", **headers}], ["body", body], ["end"]]


def error(message, **more):
    return json.dumps({"error": {"message": message, **more}})


class Models(SystemTest):
    WEIGHT = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.count = 0

    def config(self, **more):
        timeouts = {"connect": "2s", "first_byte": "300ms", "gap": "300ms", "total": "3s"}
        return super().config(models={"main": model(self.world, timeouts=timeouts)}, **more)

    def answered(self, *rules):
        """The task, ended, whose model answers so."""
        Models.count += 1
        words = f"case {self.count}."
        self.world.rules(*({"path": PATH, **rule} for rule in rules), answers.replies("/look", 1),
                         answers.replies("/pay", 1))
        if not hasattr(self, "served"):
            self.served = self.server()
        task = self.served.api.submit("orders", words)
        seen = self.served.api.wait(task, "completed", "failed")
        return seen, len(self.model_bodies(words)), words

    def test_passing_trouble_is_tried_again(self):
        good = answers.text_chunks("Better.")
        cut = answers.stream(good)[:3]
        for name, steps in {
                "500": whole(500, "oops"), "503": whole(503, error("overloaded")),
                "529": whole(529, ""), "408": whole(408, ""), "no answer": [["cut"]], "reset": [["reset"]],
                "garbage for a head": [["raw", "\x00\x01\x02 not http\r\n\r\n"], ["cut"]],
                "garbage for a stream": [["head", 200, answers.SSE], ["body", "what?\n\ndata: {\n\n"], ["end"]],
                "half a head": [["raw", "HTTP/1.1 200 OK\r\nContent-"], ["cut"]],
                "cut before an event": answers.stream(good)[:1] + [["cut"]],
                "cut in the middle": cut + [["cut"]], "an end without the end": cut + [["end"]],
                "cut inside a character": [["head", 200, answers.SSE], ["raw", "10\r\ndata: {\"a\":\"\xc3"], ["cut"]],
                "an error after 200": cut + [["body", "data: " + error("overloaded", type="server_error") + "\n\n"],
                                             ["end"]],
                "silent": [["hold", "never"]], "silent in the middle": cut + [["hold", "never"]]}.items():
            with self.subTest(name):
                seen, asked, _ = self.answered({"steps": steps, "times": 1}, {"steps": answers.stream(good)})
                self.assertEqual((seen["status"], asked), ("completed", 2), (name, seen))
                self.assertEqual(seen["result"], {"text": "Better."})
                self.world.release("never")

    def test_it_gives_up_in_the_end(self):
        seen, asked, _ = self.answered({"steps": whole(500, error("it is broken"))})
        self.assertEqual((seen["status"], asked), ("failed", 4))
        self.assertEqual(seen["stop_reason"], "retries_exhausted")
        self.assertIn("it is broken", seen["error"]["message"])

    def test_trouble_that_stays_is_not_tried_again(self):
        for status, body, words in ((400, error("no such field"), "no such field"),
                                    (404, error("no such model"), "no such model"),
                                    (400, error("too long", code="context_length_exceeded"), "context_overflow")):
            with self.subTest(words):
                self.served = self.server()  # without money nothing more is sent for a while
                seen, asked, _ = self.answered({"steps": whole(status, body)})
                self.assertEqual((seen["status"], asked), ("failed", 1), seen)
                self.assertIn(words, seen["error"]["message"])

    def test_a_person_is_asked_for_a_key_or_for_money(self):
        for status, body, words in ((401, error("bad key"), "mend the credential of models.main (env:MODEL_KEY)"),
                                    (402, error("pay first"), "give the account of models.main"),
                                    (429, error("no money", code="insufficient_quota"), "no money")):
            with self.subTest(words):
                config = self.config()
                config["models"]["main"]["key"] = "env:MODEL_KEY"
                server = self.server(config, env={"MODEL_KEY": "an old key"})
                said = f"asked for {words}"
                self.world.rules({"path": PATH, "steps": whole(status, body)})
                task = server.api.submit("orders", said)
                server.api.wait(task, "input_required")
                server.kill()  # the key is read anew, and nothing is sent meanwhile
                self.world.rules(answers.says("Better."))
                server.start()
                question = self.only(server.api.inbox(task))
                self.assertEqual((question["reason"], len(self.model_bodies(said))), ("auth_required", 1))
                self.assertIn(words, question["message"])
                server.api.resolve(question["id"], "approve")
                self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Better."})
                self.assertEqual(len(self.model_bodies(said)), 2)

    def test_rate_limits_are_waited_for(self):
        began = time.monotonic()
        seen, asked, words = self.answered({"steps": whole(429, error("slow down"), **{"Retry-After": "1"}), "times": 1},
                                           {"steps": answers.stream(answers.text_chunks("Now."))})
        self.assertEqual((seen["status"], asked), ("completed", 2))
        self.assertGreater(time.monotonic() - began, 0.95, "not before it was asked to")

    def test_a_long_wait_survives_a_restart(self):
        self.world.rules({"path": PATH, "times": 1, "steps": whole(429, error("later"), **{"Retry-After": "2"})},
                         answers.says("Now."))
        server = self.server()
        task = server.api.submit("orders", "rate limit and restart")
        next(event for event in server.api.stream(task) if event.name == "timer.set")
        waits = server.api.task(task)["waiting_for"]
        self.assertEqual(self.only(waits)["kind"], "timer")
        server.kill()
        server.start()
        self.assertEqual(server.api.wait(task, "completed")["result"], {"text": "Now."})
        events = {event["type"]: event for event in server.api.events(task)}
        self.assertGreaterEqual(events["timer.fired"]["at"], events["timer.set"]["data"]["due"], "not early")

    def test_calls_that_cannot_be_made(self):
        """The model is told what is wrong, nothing is sent, and the conversation stays valid."""
        for name, calls, said in (
                ("unknown tool", [("c", "lok", {})], "did you mean 'look'"),
                ("arguments that are no JSON", [("c", "look", "{\"a\":")], "could not be read"),
                ("arguments that are no object", [("c", "look", "[1]")], "not a JSON object"),
                ("duplicate members", [("c", "look", '{"a":1,"a":2}')], "could not be read"),
                ("deep arguments", [("c", "look", '{"a":' + "[" * 5000 + "]" * 5000 + "}")], "could not be read")):
            with self.subTest(name):
                looked = len(self.received("/look"))
                seen, asked, words = self.answered({"steps": answers.stream(answers.call_chunks(*calls)), "round": 0},
                                                   {"steps": answers.stream(answers.text_chunks("I see.")), "round": 1})
                self.assertEqual((seen["status"], asked), ("completed", 2), seen)
                self.assertEqual(len(self.received("/look")), looked)
                self.assertIn(said, json.loads(self.model_bodies(words)[-1])["messages"][-1]["content"])

    def test_a_model_that_never_learns(self):
        bad = answers.stream(answers.call_chunks(("c", "nosuch", {})))
        seen, asked, _ = self.answered({"steps": bad})
        self.assertEqual((seen["status"], asked), ("failed", 3), seen)
        self.assertIn("could be read", seen["error"]["message"])

    def test_answers_that_cannot_be_taken(self):
        """Asked again, in vain: the error says what was wrong, and no call of them is made."""
        looked = len(self.received("/look"))
        same = answers.call_chunks(("same", "look", {"n": 1}), ("same", "look", {"n": 2}))
        for chunks, said in ((same, "two tool calls have the same id"),
                             (answers.call_chunks(("c", "", {})), "no name")):
            seen, asked, _ = self.answered({"steps": answers.stream(chunks)})
            self.assertEqual((seen["status"], asked), ("failed", 2), seen)
            self.assertIn("malformed_output", seen["error"]["message"])
            self.assertIn(said, seen["error"]["message"])
        self.assertEqual(len(self.received("/look")), looked)

    def test_an_id_of_before_may_come_again(self):
        first, second = (answers.stream(answers.call_chunks(("call_0", "look", {"n": n}))) for n in (1, 2))
        seen, asked, words = self.answered({"steps": first, "round": 0}, {"steps": second, "round": 1},
                                           {"steps": answers.stream(answers.text_chunks("Both.")), "round": 2})
        self.assertEqual((seen["status"], asked), ("completed", 3), seen)

    def test_refusal_and_length(self):
        refusal = [answers.chunk({"role": "assistant", "refusal": "I will not."}), answers.chunk({}, "stop")]
        seen, asked, _ = self.answered({"steps": answers.stream(refusal)})
        self.assertEqual((seen["status"], seen["stop_reason"], asked), ("failed", "refusal", 1))
        self.assertIn("I will not.", seen["error"]["message"])
        filtered = answers.text_chunks("half of", finish="content_filter")
        seen, asked, _ = self.answered({"steps": answers.stream(filtered)})
        self.assertEqual((seen["status"], seen["stop_reason"], asked), ("failed", "refusal", 1))
        paid = len(self.received("/pay"))
        cut = answers.call_chunks(("c", "pay", {"order": 1}), finish="length")
        seen, asked, _ = self.answered({"steps": answers.stream(cut)})
        self.assertEqual((seen["status"], asked), ("failed", 1))
        self.assertIn("max_output_tokens", seen["error"]["message"])
        self.assertEqual(len(self.received("/pay")), paid, "calls of a cut answer are not made")


class Tools(SystemTest):
    WEIGHT = 2

    def config(self, **more):
        timeouts = {"connect": "2s", "first_byte": "300ms", "gap": "300ms", "total": "2s"}
        config = super().config(**more)
        for item in config["tools"].values():
            item["timeouts"] = timeouts
        config["tools"]["look"]["max_output"] = 1000
        return config

    def call(self, name, steps, words, server=None):
        self.world.rules(answers.calls(("c", name, {"words": words}), round=0), answers.says("Done.", round=1),
                         {"path": "/" + name, "steps": steps})
        server = server or self.server()
        task = server.api.submit("orders", words)
        return server, task, server.api.wait(task)

    def told(self, words):
        return json.loads(self.model_bodies(words)[-1])["messages"][-1]["content"]

    def test_what_leaves_a_doubt(self):
        """`once`: whatever is not definite is asked about, and sent once."""
        server = self.server()
        cut = [["head", 200, {}], ["body", "half"]]
        for name, steps in {"silent": [["hold", "never"]], "silent in the middle": cut + [["hold", "never"]],
                            "closed": [["cut"]], "reset": [["reset"]], "half": cut + [["cut"]],
                            "no http": [["raw", "hello\r\n\r\n"], ["cut"]], "500": whole(500, "oops"),
                            "502": whole(502, ""), "503": whole(503, ""), "408": whole(408, ""),
                            "a status of its own": whole(599, "")}.items():
            with self.subTest(name):
                _, task, seen = self.call("pay", steps, f"doubt {name}", server)
                self.assertEqual(seen["status"], "input_required", seen)
                self.assertEqual(seen["waiting_for"][0]["reason"], "uncertain_outcome")
                self.assertEqual(len(self.received("/pay", f"doubt {name}\"")), 1)
                self.world.release("never")
                server.api.resolve(seen["waiting_for"][0]["id"], "dismiss")

    def test_what_is_definite(self):
        server = self.server()
        for status in (400, 401, 403, 404, 405, 409, 413, 422):
            with self.subTest(status):
                _, task, seen = self.call("pay", whole(status, f"because {status}"), f"definite {status}", server)
                self.assertEqual(seen["status"], "completed")
                self.assertIn(f"because {status}", self.told(f"definite {status}"))
                self.assertEqual(len(self.received("/pay", f"definite {status}")), 1)

    def test_later(self):
        server = self.server()
        self.world.rules(answers.calls(("c", "pay", {"words": "later"}), round=0), answers.says("Done.", round=1),
                         answers.replies("/pay", {}, 429, {"Retry-After": "0"}, times=2), answers.replies("/pay", 1))
        task = server.api.submit("orders", "later")
        server.api.wait(task, "completed")
        sent = self.received("/pay", "later")
        self.assertEqual(len(sent), 3, "429 says that it was not executed")
        self.assertEqual(len({request["headers"]["idempotency-key"] for request in sent}), 1)

    def test_nobody_listens(self):
        config = self.config()
        config["tools"]["pay"]["http"]["url"] = "http://127.0.0.1:1/pay"
        _, task, seen = self.call("pay", [], "nobody", self.server(config))
        self.assertEqual(seen["status"], "completed", "not sent is no doubt")
        self.assertIn("not executed", self.told("nobody"))

    def test_floods(self):
        server = self.server()
        for name, steps in (("told", [["head", 200, {}], ["flood", 8 << 20], ["end"]]),
                            ("declared", [["head", 200, {"Transfer-Encoding": "identity", "Content-Length": "99999999999"}],
                                          ["raw", "x" * 5000], ["hold", "never"]])):
            with self.subTest(name):
                _, task, seen = self.call("look", steps, f"flood {name}", server)
                self.assertEqual(seen["status"], "completed", seen)
                self.assertLess(len(self.told(f"flood {name}")), 1200)
                self.world.release("never")
        self.assertIn("truncated", self.told("flood told"))

    def test_two_answers_for_one(self):
        one = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\"one\""
        _, task, seen = self.call("pay", [["raw", one + one.replace("one", "two")], ["cut"]], "twice")
        self.assertEqual(seen["status"], "completed")
        self.assertEqual(self.told("twice"), '"one"')

    def test_bytes_that_are_no_text(self):
        _, task, seen = self.call("look", [["head", 200, {}], ["raw", "4\r\n\xff\xfe\x00\x01\r\n"], ["end"]], "binary")
        self.assertEqual(seen["status"], "completed")
        self.assertEqual(json.loads(self.told("binary")), {"encoding": "base64", "bytes": "//4AAQ=="})

    def test_closing_before_the_request_is_read(self):
        self.world.rules(answers.calls(("c", "pay", {"words": "x" * 3_000_000}), round=0), answers.says("Done.", round=1),
                         {"path": "/pay", "unread": True, "steps": [["reset"]]})
        server = self.server()
        before = len(self.received("/pay", ""))
        task = server.api.submit("orders", "unread")
        seen = server.api.wait(task, "input_required")
        self.assertEqual(seen["waiting_for"][0]["reason"], "uncertain_outcome")
        self.assertEqual(len(self.received("/pay", "")) - before, 1)


if __name__ == "__main__":
    unittest.main()
