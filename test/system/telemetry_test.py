"""Traces as a collector gets them: the form of OTLP/JSON, the spans of a task, and what becomes of them
when the collector or the server fails."""
import json
import re
import time

import answers
from case import SystemTest

TRACES = "/v1/traces"
SECRET = "collector-key-0123456789"
HEX = {"traceId": 32, "spanId": 16, "parentSpanId": 16}


def check_value(value):
    """An AnyValue: exactly one member, 64-bit integers as strings."""
    (kind, inner), = value.items()
    if kind == "stringValue":
        assert isinstance(inner, str)
    elif kind == "intValue":
        assert isinstance(inner, str) and re.fullmatch(r"-?\d+", inner), value
    elif kind == "doubleValue":
        assert isinstance(inner, (int, float))
    elif kind == "arrayValue":
        for item in inner["values"]:
            check_value(item)
    else:
        raise AssertionError(value)


def check_request(document):
    """The encoding rules of OTLP/JSON (opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding)."""
    spans = []
    assert set(document) == {"resourceSpans"}
    for resource in document["resourceSpans"]:
        assert set(resource) == {"resource", "scopeSpans"}
        for item in resource["resource"]["attributes"]:
            check_value(item["value"])
        for scope in resource["scopeSpans"]:
            assert set(scope) == {"scope", "spans"} and scope["scope"]["name"] == "perdure"
            for span in scope["spans"]:
                assert set(span) <= {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano",
                                     "endTimeUnixNano", "attributes", "status"}, span
                for name, size in HEX.items():
                    if name in span or name != "parentSpanId":
                        assert re.fullmatch("[0-9a-f]{%d}" % size, span[name]) and int(span[name], 16), span
                assert span["name"] and span["kind"] in (1, 2, 3, 4, 5)
                for name in ("startTimeUnixNano", "endTimeUnixNano"):
                    assert isinstance(span[name], str) and span[name].isdigit(), span
                assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]), span
                keys = [item["key"] for item in span["attributes"]]
                assert len(keys) == len(set(keys)), keys
                for item in span["attributes"]:
                    assert set(item) == {"key", "value"}
                    check_value(item["value"])
                assert span.get("status", {"code": 2}) == {"code": 2}
                spans.append(span)
    return spans


def attribute(span, key):
    for item in span["attributes"]:
        if item["key"] == key:
            (kind, value), = item["value"].items()
            return int(value) if kind == "intValue" else value
    return None


class Traces(SystemTest):
    def setUp(self):
        self.rules = [answers.calls(("c", "pay", {"order": "privacy-arguments"}), round=0),
                      answers.says("privacy-answer", round=1), answers.replies("/pay", {"r": "privacy-result"})]
        self.taken = {"path": TRACES, "steps": [["head", 200, {}], ["body", "{}"], ["end"]]}

    def traced(self, **more):
        config = self.config(telemetry={"otlp_endpoint": self.world.url, "allow_private": True,
                                        "headers": {"x-key": "env:COLLECTOR"}})
        config["tools"]["pay"]["approval"] = "always"
        return self.server(config, env={"COLLECTOR": SECRET}, **more)

    def spans(self, task=None):
        """What the collector took: by span id."""
        out = {}
        for request in self.received(TRACES):
            for span in check_request(json.loads(request["body"])):
                if task is None or attribute(span, "gen_ai.conversation.id") == task:
                    earlier = out.setdefault(span["spanId"], span)
                    self.assertEqual(earlier, span, "a repeat is the same")
        return list(out.values())

    def wait_spans(self, task, count):
        deadline = time.monotonic() + 30
        while len(spans := self.spans(task)) < count:
            self.assertLess(time.monotonic(), deadline, [span["name"] for span in spans])
            time.sleep(0.02)
        return spans

    def approve(self, api, task):
        question = self.only(api.inbox(task))["id"]
        self.assertEqual(api.post(f"/v1/interrupts/{question}/resolve", {"decision": "approve"}).status, 200)

    def test_a_task_is_a_trace(self):
        self.world.rules(*self.rules, self.taken)
        served = self.traced()
        task = served.api.submit("orders", "privacy-prompt")
        served.api.wait(task, "input_required")
        self.approve(served.api, task)
        served.api.wait(task, "completed")
        spans = self.wait_spans(task, 5)
        self.assertEqual(len(spans), 5, [span["name"] for span in spans])
        self.assertEqual(len({span["traceId"] for span in spans}), 1)
        root = self.only([span for span in spans if "parentSpanId" not in span])
        self.assertEqual(root["name"], "invoke_agent orders")
        self.assertEqual({span.get("parentSpanId") for span in spans}, {None, root["spanId"]})
        names = sorted(span["name"] for span in spans)
        self.assertEqual(names, ["chat m-1", "chat m-1", "execute_tool pay", "invoke_agent orders",
                                 "wait_for_person tool_approval"])
        first, _ = sorted((span for span in spans if span["name"] == "chat m-1"),
                          key=lambda span: int(span["startTimeUnixNano"]))
        for key, value in (("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "openai"),
                           ("gen_ai.request.model", "m-1"), ("gen_ai.response.model", "m-1"),
                           ("gen_ai.response.id", "chatcmpl-1"), ("gen_ai.usage.input_tokens", 100),
                           ("gen_ai.usage.output_tokens", 20), ("perdure.attempt", 1),
                           ("gen_ai.response.finish_reasons", {"values": [{"stringValue": "tool_calls"}]})):
            self.assertEqual(attribute(first, key), value, key)
        tool = self.only([span for span in spans if span["name"] == "execute_tool pay"])
        self.assertEqual(attribute(tool, "gen_ai.tool.name"), "pay")
        wait = self.only([span for span in spans if span["name"].startswith("wait")])
        self.assertEqual(attribute(wait, "perdure.interrupt.decision"), "approve")
        sent = "".join(request["body"] for request in self.received(TRACES))
        self.assertNotIn("privacy", sent)
        self.assertEqual({request["headers"].get("x-key") for request in self.received(TRACES)}, {SECRET})
        metrics = served.api.get("/metrics").body.decode()
        self.assertIn("perdure_spans_dropped_total 0\n", metrics)
        served.stop()
        kept = b"".join(path.read_bytes() for path in served.data.rglob("*") if path.is_file())
        self.assertNotIn(SECRET.encode(), kept + served.log_text().encode())

    def test_a_killed_server_goes_on(self):
        self.world.rules(*self.rules, self.taken)
        served = self.traced()
        task = served.api.submit("orders", "killed")
        served.api.wait(task, "input_required")
        self.wait_spans(task, 1)
        served.kill()
        served.start()
        self.approve(served.api, task)
        served.api.wait(task, "completed")
        spans = self.wait_spans(task, 5)
        self.assertEqual(len(spans), 5, [span["name"] for span in spans])
        self.assertEqual(len({span["traceId"] for span in spans}), 1)
        self.assertIn("wait_for_person tool_approval", [span["name"] for span in spans])

    def test_a_collector_that_is_away(self):
        busy = {"path": TRACES, "steps": [["head", 503, {}], ["end"]]}
        self.world.rules(*self.rules, busy)
        served = self.traced()
        tasks = [served.api.submit("orders", f"away {i}") for i in range(3)]
        for task in tasks:
            served.api.wait(task, "input_required")
        self.world.wait_count(len(self.received(TRACES)) + 1, TRACES)
        deadline = time.monotonic() + 30  # the answer comes a little after the request
        while "perdure_span_export_failures_total 0\n" in (metrics := served.api.get("/metrics").body.decode()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertIn("perdure_spans_exported_total 0\n", metrics)
        served.kill()  # what was not taken is still to come
        before = len(self.received(TRACES))
        self.world.rules(*self.rules, self.taken)
        served.start()
        for task in tasks:
            self.world.wait_count(before + 1, TRACES)
            self.assertEqual([span["name"] for span in self.wait_spans(task, 1)], ["chat m-1"])

    def test_a_collector_that_refuses(self):
        self.world.rules(*self.rules, {"path": TRACES, "steps": [["head", 400, {}], ["end"]]})
        served = self.traced()
        task = served.api.submit("orders", "refused")
        served.api.wait(task, "input_required")
        deadline = time.monotonic() + 20
        while "perdure_spans_dropped_total 0\n" in (text := served.api.get("/metrics").body.decode()):
            self.assertLess(time.monotonic(), deadline)
            self.world.wait_count(1, TRACES)
        self.assertIn("perdure_spans_dropped_total 1\n", text)
        self.assertIn("telemetry.refused", served.log_text())

    def test_off_unless_configured(self):
        self.world.rules(*self.rules, self.taken)
        before = len(self.received(TRACES))
        served = self.server()
        task = served.api.submit("orders", "untraced")
        served.api.wait(task, "completed")
        self.assertNotIn("perdure_spans", served.api.get("/metrics").body.decode())
        served.stop()
        self.assertEqual(len(self.received(TRACES)), before)

    def test_the_check_can_fail(self):
        good = {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "perdure"}, "spans": [
            {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "n", "kind": 1, "startTimeUnixNano": "1",
             "endTimeUnixNano": "2", "attributes": [{"key": "k", "value": {"intValue": "1"}}]}]}]}]}
        check_request(good)
        for wrong in ({"traceId": "A" * 32}, {"spanId": "0" * 16}, {"startTimeUnixNano": 1}, {"kind": 0},
                      {"attributes": [{"key": "k", "value": {"intValue": 1}}]}, {"trace_id": "1"}):
            document = json.loads(json.dumps(good))
            document["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(wrong)
            with self.assertRaises(AssertionError):
                check_request(document)
