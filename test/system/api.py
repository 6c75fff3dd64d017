"""A client of the HTTP surface, as small as can be."""
import http.client
import json
import socket
import time
import urllib.parse

import described

SECONDS = 30


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"HTTP {self.status}: {self.body[:600]!r}"


class Event:
    def __init__(self, number, name, data):
        self.id, self.name, self.data = number, name, data

    def __repr__(self):
        return f"{self.id}:{self.name}"


class Api:
    def __init__(self, url, token):
        self.address, self.token = urllib.parse.urlsplit(url).netloc, token

    def call(self, method, path, body=None, headers=None, token=...):
        """`body`: a value, or bytes as they are. `token` None: without a credential."""
        sent = {} if body is None else {"Content-Type": "application/json"}
        token = self.token if token is ... else token
        if token is not None:
            sent["Authorization"] = "Bearer " + token
        sent.update(headers or {})
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.address, timeout=SECONDS)
        try:
            connection.request(method, path, data, {k: v for k, v in sent.items() if v is not None})
            answer = connection.getresponse()
            reply = Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        finally:
            connection.close()
        if wrong := described.against(method, path, reply):
            raise AssertionError("not as api/openapi.json says: " + "; ".join(wrong[:5]))
        return reply

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body, **options):
        return self.call("POST", path, body, **options)

    def submit(self, agent, value, key=None, **options):
        """The id of the new task."""
        headers = {"Idempotency-Key": json.dumps(key)} if key else {}
        reply = self.post("/v1/tasks", {"agent": agent, "input": value, **options}, headers=headers)
        if reply.status != 202:
            raise AssertionError(f"not accepted: {reply}")
        return reply.json["id"]

    def task(self, task):
        return self.get("/v1/tasks/" + task).json

    def wait(self, task, *statuses, seconds=30):
        """The task when it is in one of these states; without any: when it has ended or asks."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reply = self.get(f"/v1/tasks/{task}?wait=5")
            if reply.status != 200:
                raise AssertionError(f"task {task}: {reply}")
            seen = reply.json
            if not statuses and seen["status"] in ("completed", "failed", "cancelled", "input_required"):
                return seen
            if seen["status"] in statuses:
                return seen
            if seen["status"] in ("completed", "failed", "cancelled"):
                break
            if seen["status"] == "input_required":
                time.sleep(0.02)  # who asks somebody is not waited for
        raise AssertionError(f"task is not {statuses} but {json.dumps(seen)[:1500]}")

    def journal(self, task, normalised=False):
        return self.pages(f"/v1/tasks/{task}/journal?normalised={str(normalised).lower()}&limit=1000",
                          "records")

    def events(self, task, after=0):
        return self.pages(f"/v1/tasks/{task}/events?limit=1000", "events", after)

    def pages(self, path, member, after=0):
        out = []
        while True:
            reply = self.get(f"{path}&after={after}")
            if reply.status != 200:
                raise AssertionError(f"{path}: {reply}")
            page = reply.json
            out += page[member]
            if not page["has_more"]:
                return out
            after = page["next_after"]

    def inbox(self, task=None):
        shown = self.get("/v1/interrupts?limit=200").json["interrupts"]
        return [item for item in shown if task in (None, item["task"])]

    def resolve(self, interrupt, decision, **more):
        return self.post(f"/v1/interrupts/{interrupt}/resolve", {"decision": decision, **more})

    def stream(self, task, last=None, seconds=SECONDS):
        """The events of a task as they come, until the server ends the stream or goes away."""
        headers = {"Authorization": "Bearer " + self.token, "Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        connection = http.client.HTTPConnection(self.address, timeout=seconds)
        try:
            connection.request("GET", f"/v1/tasks/{task}/events", headers=headers)
            answer = connection.getresponse()
            if answer.status == 204:
                return
            if answer.status != 200:
                raise AssertionError(f"stream: HTTP {answer.status}: {answer.read()[:300]}")
            yield from read_events(answer)
        except (http.client.IncompleteRead, ConnectionError):
            return
        finally:
            connection.close()


def read_events(lines):
    number, name, data = None, "message", []
    for line in lines:
        field, _, value = line.decode("utf-8").rstrip("\r\n").partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "id":
            number = int(value)
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not field and not value:
            if data:
                yield Event(number, name, json.loads("\n".join(data)))
            number, name, data = None, "message", []


def raw(address, data, seconds=10):
    """Sends bytes as they are, and returns all that comes back."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        out = b""
        try:
            while piece := connection.recv(65536):
                out += piece
        except (ConnectionError, TimeoutError):
            pass
        return out
