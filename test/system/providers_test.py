"""Anthropic's Messages, OpenAI's Responses in the background, and the limits that tasks share."""
import json
import time
import unittest

import answers
from case import SystemTest, agent, model
from server import run

MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"
FETCH = RESPONSES + "/resp_1"


def events(*objects):
    steps = [["head", 200, answers.SSE]]
    for data in objects:
        steps.append(["body", f"event: {data['type']}\ndata: {json.dumps(data)}\n\n"])
    return steps + [["end"]]


def message(stop, *blocks):
    """A streamed message: (how a block begins, its deltas) each."""
    out = [{"type": "message_start", "message": {"id": "msg_1", "model": "m-1", "usage": {
        "input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 0, "output_tokens": 1}}}]
    for index, (begin, *deltas) in enumerate(blocks):
        out.append({"type": "content_block_start", "index": index, "content_block": begin})
        out += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        out.append({"type": "content_block_stop", "index": index})
    return events(*out, {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 20}},
                  {"type": "message_stop"})


def text(words):
    return {"type": "text", "text": ""}, {"type": "text_delta", "text": words}


class Anthropic(SystemTest):
    def config(self, **more):
        price = {"input": 1.0, "output": 4.0, "cached_input": 0.1}
        main = model(self.world, provider="anthropic", base_url=self.world.url, price_per_mtok=price)
        return super().config(models={"main": main}, **more)

    def test_thinking_and_a_pause_come_back_unchanged(self):
        thought = ({"type": "thinking", "thinking": "", "signature": ""},
                   {"type": "thinking_delta", "thinking": "Look first."}, {"type": "signature_delta", "signature": "EqQB/+=="})
        search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
        call = ({"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
                {"type": "input_json_delta", "partial_json": "{ \"order\" : "}, {"type": "input_json_delta", "partial_json": "7}"})
        self.world.rules({"path": MESSAGES, "times": 1, "steps": message("pause_turn", text("Searching. "), (search,))},
                         {"path": MESSAGES, "times": 1, "steps": message("tool_use", thought, text("One moment."), call)},
                         {"path": MESSAGES, "steps": message("end_turn", text("Done."))}, answers.replies("/look", {"found": 7}))
        server = self.server()
        task = server.api.submit("orders", "look at order 7")
        seen = server.api.wait(task, "completed", "failed")
        self.assertEqual((seen["status"], seen["result"]), ("completed", {"text": "Done."}), seen)
        self.assertAlmostEqual(seen["usage"]["cost_usd"], 3 * (10 * 1.0 + 90 * 0.1 + 20 * 4.0) / 1e6)
        first, second, third = (json.loads(r["body"]) for r in self.received(MESSAGES))
        self.assertEqual(second["messages"][-1]["content"][1], search, "the paused answer is the last message")
        said = third["messages"][-2]
        self.assertEqual(said["role"], "assistant")
        self.assertIn({"type": "thinking", "thinking": "Look first.", "signature": "EqQB/+=="}, said["content"])
        self.assertEqual(third["messages"][-1]["content"][0]["type"], "tool_result")
        self.assertEqual(first["system"][0]["cache_control"], {"type": "ephemeral"})


def responses(status="completed"):
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}
    created = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}
    usage = {"input_tokens": 100, "output_tokens": 20}
    done = {"type": "response." + status,
            "response": {"id": "resp_1", "status": status, "output": [item], "usage": usage}}
    return events(created, done)


class Background(SystemTest):
    def config(self, **more):
        main = model(self.world, provider="openai-responses", background=True)
        return super().config(models={"main": main}, **more)

    def setUp(self):
        self.fetched_before = len(self.received(FETCH))

    def finish(self, server, task, words, created, fetched):
        seen = server.api.wait(task, "completed", "failed")
        self.assertEqual((seen["status"], seen["result"]), ("completed", {"text": "Hello."}), seen)
        self.assertEqual(len(self.received(RESPONSES, words)), created)
        asked = self.received(FETCH)[self.fetched_before:]
        self.assertEqual([request["method"] for request in asked], ["GET"] * fetched)
        return seen

    def test_a_crash_costs_a_get(self):
        works = responses()
        works.insert(2, ["hold", "works"])
        self.world.rules({"path": RESPONSES, "steps": works}, {"path": FETCH, "steps": responses()})
        server = self.server()
        task = server.api.submit("orders", "crash and fetch")
        next(event for event in server.api.stream(task) if event.name == "model.accepted")
        server.kill()
        server.start()
        seen = self.finish(server, task, "crash and fetch", created=1, fetched=1)
        self.assertEqual(seen["usage"]["model_calls"], 1)
        self.world.release("works")

    def test_a_cut_connection_costs_a_get(self):
        cut = responses()[:2] + [["cut"]]
        self.world.rules({"path": RESPONSES, "steps": cut}, {"path": FETCH, "steps": responses()})
        server = self.server()
        task = server.api.submit("orders", "cut and fetch")
        self.finish(server, task, "cut and fetch", created=1, fetched=1)

    def test_what_the_provider_lost_is_asked_for_again(self):
        cut = responses()[:2] + [["cut"]]
        self.world.rules({"path": RESPONSES, "times": 1, "steps": cut}, {"path": RESPONSES, "steps": responses()},
                         {"path": FETCH, "steps": [["head", 404, {}], ["body", "{}"], ["end"]]})
        server = self.server()
        task = server.api.submit("orders", "lost and again")
        self.finish(server, task, "lost and again", created=2, fetched=1)

    def test_a_refused_fetch_is_asked_again(self):
        cut = responses()[:2] + [["cut"]]
        refused = [["head", 401, {}], ["body", "{}"], ["end"]]
        self.world.rules({"path": RESPONSES, "steps": cut}, {"path": FETCH, "times": 2, "steps": refused},
                         {"path": FETCH, "steps": responses()})
        server = self.server()
        task = server.api.submit("orders", "refused and fetch")
        seen = self.finish(server, task, "refused and fetch", created=1, fetched=3)
        self.assertEqual(seen["usage"]["model_calls"], 1)
        self.assertGreater(seen["usage"]["cost_usd"], 0)

    def test_a_stream_that_only_breaks_ends(self):
        cut = responses()[:2] + [["cut"]]
        broken = responses()[:2] + events({"type": "error", "code": "server_error", "message": "No."})[1:]
        self.world.rules({"path": RESPONSES, "times": 1, "steps": cut}, {"path": RESPONSES, "steps": responses()},
                         {"path": FETCH, "steps": broken})
        server = self.server()
        task = server.api.submit("orders", "broken and again")
        seen = self.finish(server, task, "broken and again", created=2, fetched=2)
        self.assertEqual(seen["usage"]["model_calls"], 2, "perhaps billed twice")


class BrokenOff(SystemTest):
    """An error behind the head of an answer: nothing is booked for it where nothing had come."""
    WEIGHT = 2
    CREATED = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}
    OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    # How it begins, what of the answer may have come then, the error, and the answer to the second call.
    DIALECTS = {
        "openai-chat": ("/v1", answers.MODEL_PATH, [answers.chunk({"role": "assistant", "content": ""})],
                        [answers.chunk({"content": "Hel"})],
                        {"error": {"code": "server_is_overloaded", "message": "Overloaded"}},
                        answers.stream(answers.text_chunks("Hello."))),
        "openai-responses": ("/v1", RESPONSES, [CREATED],
                             [{"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"}],
                             {"type": "error", "code": "server_is_overloaded", "message": "Overloaded"}, responses()),
        "anthropic": ("", MESSAGES, [{"type": "ping"}],
                      [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}],
                      OVERLOADED, message("end_turn", text("Hello."))),
    }

    def test_before_and_behind_a_part_of_the_answer(self):
        for provider, (base, path, begin, part, error, whole) in self.DIALECTS.items():
            main = model(self.world, provider=provider, base_url=self.world.url + base,
                         price_per_mtok={"input": 1.0, "output": 4.0})
            server = self.server(self.config(models={"main": main}))
            for where, came, failure in (("before", begin, "transient"), ("behind", begin + part, "ambiguous")):
                with self.subTest(provider, where=where):
                    words = f"{provider} {where}"
                    broken = [["head", 200, answers.SSE],
                              *(["body", f"data: {json.dumps(data)}\n\n"] for data in [*came, error]), ["end"]]
                    self.world.rules({"path": path, "times": 1, "steps": broken}, {"path": path, "steps": whole})
                    task = server.api.submit("orders", words)
                    seen = server.api.wait(task, "completed", "failed")
                    self.assertEqual((seen["status"], seen.get("result")), ("completed", {"text": "Hello."}), seen)
                    self.assertEqual(len(self.received(path, words)), 2)
                    first, second = (record for record in server.api.journal(task) if record["type"] == "step_settled")
                    self.assertEqual((first["outcome"], first["failure"]), ("in_doubt", failure))
                    self.assertIn("Overloaded", first["detail"])
                    paid = second["used"]["cost_micro_usd"] / 1e6
                    if where == "before":
                        self.assertAlmostEqual(seen["usage"]["cost_usd"], paid)
                    else:
                        self.assertGreater(seen["usage"]["cost_usd"], paid, "perhaps billed: the reservation is booked")


class KilledInACall(SystemTest):
    """A call that no provider keeps: it is made again with the same bytes, and both are shown and counted."""
    WEIGHT = 2
    DIALECTS = (("anthropic", "", MESSAGES, message("end_turn", text("Hello."))),
                ("openai-responses", "/v1", RESPONSES, responses()))

    def killed_at(self, server, path, steps, words, at):
        steps = list(steps)
        steps.insert(at, ["hold", "here"])
        self.world.rules({"path": path, "steps": steps})
        task = server.api.submit("orders", words)
        self.world.wait_held("here")
        before = server.api.events(task)
        server.kill()
        self.world.release("here")
        server.start()
        seen = server.api.wait(task, "completed", "failed")
        self.assertEqual((seen["status"], seen["result"]), ("completed", {"text": "Hello."}), seen)
        after = server.api.events(task)
        self.assertEqual(after[:len(before)], before, "what was shown stays")
        return seen, after

    def test_it_is_made_again_and_both_are_shown(self):
        for provider, base, path, steps in self.DIALECTS:
            main = model(self.world, provider=provider, base_url=self.world.url + base)
            server = self.server(self.config(models={"main": main}))
            for where, at in (("no-byte", 0), ("head-only", 1), ("first-event", 2), ("last-event", -1)):
                with self.subTest(provider, where=where):
                    words = f"{provider} {where}"
                    seen, events = self.killed_at(server, path, steps, words, at)
                    first, second = (request["body"] for request in self.received(path, words))
                    self.assertEqual(first, second)
                    told = {event["type"]: event["data"] for event in events}
                    self.assertEqual(told["model.superseded"]["attempt"], 1)
                    self.assertEqual(told["model.superseded"]["failure"], "ambiguous")
                    self.assertEqual(told["model.answered"]["attempt"], 2)
                    self.assertEqual(seen["usage"]["model_calls"], 2, "perhaps billed twice")
                    self.assertGreater(seen["usage"]["cost_usd"], told["model.answered"]["used"]["cost_usd"])


class SharedLimits(SystemTest):
    def test_siblings_wait_too(self):
        limited = [["head", 429, {"Retry-After": "4"}], ["body", "{}"], ["end"]]
        self.world.rules({"path": answers.MODEL_PATH, "times": 1, "steps": limited}, answers.says("Now."))
        server = self.server()
        first = server.api.submit("orders", "limit one")
        next(event for event in server.api.stream(first) if event.name == "timer.set")
        began = time.monotonic()
        others = [server.api.submit("orders", f"limit {n}") for n in ("two", "three", "four")]
        for task in others:
            next(event for event in server.api.stream(task) if event.name == "timer.set")
            self.assertEqual(self.only(server.api.task(task)["waiting_for"])["reason"], "rate_limit")
        self.assertEqual(len(self.model_bodies("limit")), 1, "nothing was sent for the others")
        for task in (first, *others):
            self.assertEqual(server.api.wait(task, "completed", "failed")["status"], "completed")
        self.assertGreater(time.monotonic() - began, 1.0)
        self.assertEqual(len(self.model_bodies("limit")), 5)


class Prices(SystemTest):
    def test_money_needs_prices(self):
        config = self.config()
        del config["models"]["main"]["price_per_mtok"]
        server = self.server(config, {"orders": agent(limits={"cost_usd": 1.0})}, start=False)
        with self.assertRaisesRegex(AssertionError, "the price of model 'main' is not known"):
            server.start()

    def test_a_file_of_prices(self):
        self.world.rules(answers.says("Hi."))
        config = self.config(prices="prices.toml")
        del config["models"]["main"]["price_per_mtok"]
        server = self.server(config, start=False)
        (server.folder / "prices.toml").write_text('["m-1"]\ninput = 10\noutput = 20\n', "utf-8")
        server.start()
        seen = server.api.wait(server.api.submit("orders", "listed price"), "completed")
        self.assertAlmostEqual(seen["usage"]["cost_usd"], (100 * 10 + 20 * 20) / 1e6)
        self.assertNotIn("model.price_unknown", server.log_text())

    def without_a_price(self, **submission):
        self.world.rules(answers.says("Hi."))
        config = self.config()
        del config["models"]["main"]["price_per_mtok"]
        server = self.server(config)
        task = server.api.submit("orders", "no price", **submission)
        return server, server.api.wait(task, "completed", "failed")

    def test_without_a_price_it_says_so(self):
        server, task = self.without_a_price()
        self.assertIn("model.price_unknown", server.log_text())
        self.assertEqual((task["usage"]["cost_usd"], task["usage"]["unpriced_calls"]), (0, 1))
        answered = next(e for e in server.api.events(task["id"]) if e["type"] == "model.answered")
        self.assertEqual(answered["data"]["used"]["unpriced_calls"], 1)
        shown = run("tasks", "show", task["id"], "--data-dir", server.data)
        self.assertIn("1 call of unknown price", shown.stdout)

    def test_what_was_not_billed_is_not_of_unknown_price(self):
        slow = {"path": answers.MODEL_PATH, "times": 1, "steps": [["head", 429, {}], ["body", "{}"], ["end"]]}
        cut = {"path": answers.MODEL_PATH, "times": 1, "steps": [["head", 200, answers.SSE], ["cut"]]}
        bad = {"path": answers.MODEL_PATH, "steps": [["head", 400, {}], ["body", "{}"], ["end"]]}
        for rules, status, counted in (((slow, cut, answers.says("Hi.")), "completed", 2), ((bad,), "failed", 0)):
            self.world.rules(*rules)
            config = self.config()
            del config["models"]["main"]["price_per_mtok"]
            server = self.server(config)
            task = server.api.wait(server.api.submit("orders", "no price"), "completed", "failed")
            self.assertEqual(task["status"], status, task)
            used = [event["data"].get("used", {}) for event in server.api.events(task["id"])]
            self.assertEqual(sum(one.get("unpriced_calls", 0) for one in used), counted)
            self.assertEqual(task["usage"].get("unpriced_calls", 0), counted)

    def test_a_budget_without_a_price_sends_nothing(self):
        _, task = self.without_a_price(budget={"cost_usd": 1.0})
        self.assertEqual(task["status"], "failed", task)
        self.assertIn("the price of model 'main' is not known", task["error"]["message"])
        self.assertEqual(task["usage"]["model_calls"], 0)

    def test_what_the_cache_gave_has_its_own_price(self):
        cached = answers.text_chunks("Hi.")
        cached[-1]["usage"] = {**answers.USAGE, "prompt_tokens_details": {"cached_tokens": 80}}
        self.world.rules({"path": answers.MODEL_PATH, "steps": answers.stream(cached)})
        config = self.config()
        config["models"]["main"]["price_per_mtok"] = {"input": 10, "cached_input": 1, "output": 20}
        server = self.server(config)
        seen = server.api.wait(server.api.submit("orders", "cached price"), "completed")
        self.assertAlmostEqual(seen["usage"]["cost_usd"], (20 * 10 + 80 * 1 + 20 * 20) / 1e6)
        self.assertNotIn("unpriced_calls", seen["usage"])


if __name__ == "__main__":
    unittest.main()
