"""Gemini and Bedrock from outside: the real binary against an endpoint that speaks their dialects."""
import binascii
import hashlib
import hmac
import json
import struct

import answers
from case import RETRY, SystemTest

SECRETS = {"GEMINI_KEY": "gemini-key-0123456789", "AWS_ID": "AKIDEXAMPLE0123",
           "AWS_SECRET": "wJalrXUtnFEMI/K7MDENG", "AWS_TOKEN": "session-token-0123"}


def cloud(world, provider, **more):
    return {"provider": provider, "base_url": world.url, "allow_private": True, "retry": RETRY,
            "price_per_mtok": {"input": 1.0, "output": 4.0}, **more}


class CloudTest(SystemTest):
    def run_task(self, model, rules):
        self.world.rules(*rules)
        text = self.id()  # tells its requests from those of the other tests
        served = self.server(self.config(models={"main": model}), env=SECRETS)
        task = served.api.submit("orders", text)
        return served, served.api.wait(task)

    def no_secret_is_kept(self, served):
        served.stop()
        kept = b"".join(path.read_bytes() for path in served.data.rglob("*") if path.is_file())
        kept += served.log_text().encode()
        for secret in SECRETS.values():
            self.assertNotIn(secret.encode(), kept)


class Gemini(CloudTest):
    PATH = "/models/gemini-test:streamGenerateContent"

    def says(self, *parts, finish="STOP", **conditions):
        chunks = [{"candidates": [{"content": {"role": "model", "parts": [part]}}],
                   "modelVersion": "gemini-test-1", "responseId": "r-1"} for part in parts]
        chunks.append({"candidates": [{"finishReason": finish}], "usageMetadata": {
            "promptTokenCount": 100, "candidatesTokenCount": 10, "thoughtsTokenCount": 10}})
        steps = [["head", 200, answers.SSE], *(["body", event] for event in answers.events(chunks, done=False)),
                 ["end"]]
        return {"path": self.PATH, "steps": steps, **conditions}

    def test_a_tool_loop(self):
        call = {"functionCall": {"name": "look", "args": {"order": 7}}, "thoughtSignature": "c2lnbmF0dXJl"}
        model = cloud(self.world, "gemini", model="gemini-test", key="env:GEMINI_KEY")
        served, task = self.run_task(model, [
            self.says({"text": "I look.", "thought": True}, call, lacks="functionResponse"),
            self.says({"text": "At "}, {"text": "sea."}, contains="functionResponse"),
            answers.replies("/look", {"place": "sea"})])
        self.assertEqual(task["status"], "completed", task)
        self.assertEqual(task["result"], {"text": "At sea."})
        self.assertEqual(task["usage"]["input_tokens"], 200)
        first, second = self.received(self.PATH, self.id())
        self.assertEqual(first["path"], self.PATH + "?alt=sse")
        self.assertEqual(first["headers"]["x-goog-api-key"], SECRETS["GEMINI_KEY"])
        self.assertNotIn("authorization", first["headers"])
        sent = json.loads(second["body"])["contents"]
        self.assertEqual([content["role"] for content in sent], ["user", "model", "user"])
        self.assertEqual(sent[1]["parts"], [{"text": "I look.", "thought": True}, call])
        response = self.only(sent[2]["parts"])["functionResponse"]
        self.assertEqual((response["name"], "id" in response), ("look", False))
        self.no_secret_is_kept(served)

    def test_waits_as_long_as_google_says(self):
        limited = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slower", "details": [
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.3s"}]}}
        model = cloud(self.world, "gemini", model="gemini-test", key="env:GEMINI_KEY")
        served, task = self.run_task(model, [
            answers.replies(self.PATH, limited, 429, times=1), self.says({"text": "Done."})])
        self.assertEqual(task["status"], "completed", task)
        settled = [record for record in served.api.journal(task["id"]) if record["type"] == "step_settled"]
        self.assertEqual([record["outcome"] for record in settled], ["deferred", "succeeded"])
        self.assertEqual(settled[0]["retry_after_ms"], 300)

    def test_a_refusal(self):
        model = cloud(self.world, "gemini", model="gemini-test", key="env:GEMINI_KEY")
        _, task = self.run_task(model, [self.says({"text": "First "}, finish="SAFETY")])
        self.assertEqual((task["status"], task["stop_reason"]), ("failed", "refusal"), task)


    def test_a_call_that_google_could_not_read_is_told_to_the_model(self):
        model = cloud(self.world, "gemini", model="gemini-test", key="env:GEMINI_KEY")
        _, task = self.run_task(model, [
            self.says({"text": ""}, finish="MALFORMED_FUNCTION_CALL", lacks="could not be read"),
            self.says({"text": "Done."}, contains="could not be read")])
        self.assertEqual((task["status"], task.get("result")), ("completed", {"text": "Done."}), task)
        self.assertEqual(len(self.received(self.PATH, self.id())), 2)

    def test_an_end_for_other_reasons_is_paid_for_twice_at_most(self):
        model = cloud(self.world, "gemini", model="gemini-test", key="env:GEMINI_KEY")
        _, task = self.run_task(model, [self.says({"text": "We"}, finish="OTHER")])
        self.assertEqual(task["status"], "failed", task)
        self.assertEqual(len(self.received(self.PATH, self.id())), 2)


def message(name, payload, kind="event"):
    """One message of the AWS event stream, as text for a step of outside.py."""
    headers = b""
    for key, value in ((f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)):
        headers += struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    out = prelude + struct.pack("!I", binascii.crc32(prelude)) + headers + body
    return (out + struct.pack("!I", binascii.crc32(out))).decode("utf-8", "surrogateescape")


def signature_of(request, secret):
    """The signature that belongs to a received request, made apart from the program's own."""
    fields = dict(item.split("=", 1) for item in request["headers"]["authorization"].split(" ", 1)[1].split(", "))
    names = fields["SignedHeaders"].split(";")
    path = request["path"].replace("%", "%25")
    canonical = "\n".join([request["method"], path, "", *(f"{n}:{request['headers'][n]}" for n in names), "",
                           ";".join(names), hashlib.sha256(request["body"].encode()).hexdigest()])
    scope = fields["Credential"].split("/", 1)[1]
    to_sign = "\n".join(["AWS4-HMAC-SHA256", request["headers"]["x-amz-date"], scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return fields["Signature"], hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


class Bedrock(CloudTest):
    PATH = "/model/some.model-v1%3A0/converse-stream"

    def model(self):
        return cloud(self.world, "bedrock", model="some.model-v1:0", aws={
            "region": "eu-west-3", "access_key_id": "env:AWS_ID", "secret_access_key": "env:AWS_SECRET",
            "session_token": "env:AWS_TOKEN"})

    def says(self, *messages, stop="end_turn", **conditions):
        usage = {"usage": {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120}}
        told = [message("messageStart", {"role": "assistant"}), *messages,
                message("messageStop", {"stopReason": stop}), message("metadata", usage)]
        head = ["head", 200, {"Content-Type": "application/vnd.amazon.eventstream", "x-amzn-RequestId": "q-1"}]
        return {"path": self.PATH, "steps": [head, *(["body", part] for part in told), ["end"]], **conditions}

    def text(self, text, index=0):
        return message("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}})

    def test_a_tool_loop(self):
        reasoning = [message("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": piece}})
                     for piece in ({"text": "Hm."}, {"signature": "c2lnbmF0dXJl"})]
        call = [message("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {
                    "toolUseId": "t-1", "name": "look"}}}),
                message("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"order"'}}}),
                message("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": ":7}"}}})]
        served, task = self.run_task(self.model(), [
            self.says(*reasoning, *call, stop="tool_use", lacks="toolResult"),
            self.says(self.text("At "), self.text("s\u00e9a."), contains="toolResult"),
            answers.replies("/look", {"place": "sea"})])
        self.assertEqual(task["status"], "completed", task)
        self.assertEqual(task["result"], {"text": "At s\u00e9a."})
        requests = self.received(self.PATH, self.id())
        self.assertEqual(len(requests), 2)
        for request in requests:
            sent, right = signature_of(request, SECRETS["AWS_SECRET"])
            self.assertEqual(sent, right)
            self.assertEqual(request["headers"]["x-amz-security-token"], SECRETS["AWS_TOKEN"])
            self.assertIn("host", request["headers"]["authorization"])
        sent = json.loads(requests[1]["body"])["messages"]
        self.assertEqual(sent[1]["content"], [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2lnbmF0dXJl"}}},
            {"toolUse": {"toolUseId": "t-1", "name": "look", "input": {"order": 7}}}])
        self.assertEqual(sent[2]["content"][0]["toolResult"]["toolUseId"], "t-1")
        self.no_secret_is_kept(served)

    def test_an_exception_in_the_stream(self):
        broken = {"path": self.PATH, "times": 1, "steps": [
            ["head", 200, {}], ["body", self.text("Do")],
            ["body", message("modelStreamErrorException", {"message": "it broke"}, "exception")], ["end"]]}
        served, task = self.run_task(self.model(), [broken, self.says(self.text("Done."))])
        self.assertEqual((task["status"], task["result"]), ("completed", {"text": "Done."}), task)
        settled = [record for record in served.api.journal(task["id"]) if record["type"] == "step_settled"]
        self.assertEqual([record["failure"] for record in settled], ["ambiguous", "none"])
        self.assertIn("it broke", settled[0]["detail"])

    def test_a_flipped_bit(self):
        wrong = self.text("Do").replace("Do", "Dp")
        damaged = {"path": self.PATH, "times": 1, "steps": [["head", 200, {}], ["body", wrong], ["end"]]}
        _, task = self.run_task(self.model(), [damaged, self.says(self.text("Done."))])
        self.assertEqual((task["status"], task["result"]), ("completed", {"text": "Done."}), task)
