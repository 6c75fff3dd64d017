#!/usr/bin/env python3
"""Are the requests that we send valid by the provider's own description?

    test/contract/run.py [--build build/dev] [--count 300] [--seed 1]

Needs PERDURE_FIXTURES (a folder with provider-specs/*.openapi.*), node and npm. Installs the
validating server `steady` beside this file, starts it on a free port of the loopback interface, sends
random requests made by encode_requests, and fails if it finds a fault in one. Bodies with a planted
fault must be refused: else nothing was checked.
"""
import argparse
import collections
import copy
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STEADY = HERE / "node_modules" / ".bin" / "steady"
START_SECONDS = 60


Dialect = collections.namedtuple("Dialect", "name spec path planted")


def install():
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = HERE / "node_modules" / ".installed-lock"
    if stamp.exists() and stamp.read_bytes() == lock and STEADY.exists():
        return
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True,
                   stdout=subprocess.DEVNULL)
    stamp.write_bytes(lock)


def strip_spec(source, target):
    """Paths with a query are duplicates that a server by path cannot tell apart."""
    spec = json.loads(source.read_text(encoding="utf-8"))
    spec["paths"] = {path: item for path, item in spec["paths"].items() if "?" not in path}
    target.write_text(json.dumps(spec), encoding="utf-8")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_listens(server, port):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            sys.exit(f"steady ended with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"steady does not listen after {START_SECONDS} s")


def send(connection, path, body):
    """Whether steady found nothing wrong with the request, and what it says against it. What fits no form of
    several it calls ambiguous, answers as if it were valid, and tells in headers alone."""
    connection.request("POST", path, body, {"Content-Type": "application/json", "anthropic-version": "2023-06-01"})
    response = connection.getresponse()
    text = response.read().decode("utf-8", "replace")
    count = response.headers.get("x-steady-error-count")
    if count is None:
        sys.exit(f"steady did not look at the request: HTTP {response.status}: {text[:300]}")
    told = [value for name, value in response.headers.items() if name.lower().startswith("x-steady-error-1")]
    return response.status == 200 and count == "0", "; ".join(told)


def changed(good, change):
    body = copy.deepcopy(good)
    change(body)
    return json.dumps(body).encode()


def planted_in_messages(good):
    """(what is wrong, body): each must be refused."""
    def bad(change):
        return changed(good, change)

    yield "no model", bad(lambda b: b.pop("model"))
    yield "no limit", bad(lambda b: b.pop("max_tokens"))
    yield "messages is a string", bad(lambda b: b.update(messages="nope"))
    yield "an unknown role", bad(lambda b: b["messages"][-1].__setitem__("role", "robot"))
    yield "a number as content", bad(lambda b: b["messages"][-1].__setitem__("content", 5))
    yield "a text block without its text", bad(lambda b: b["messages"][-1].__setitem__("content", [{"type": "text"}]))
    yield "a result without its call", bad(lambda b: b["messages"][-1].__setitem__(
        "content", [{"type": "tool_result"}]))
    yield "the limit is a string", bad(lambda b: b.update(max_tokens="many"))
    yield "tools is an object", bad(lambda b: b.update(tools={}))
    yield "not JSON", b"{\"model\":"


def planted_in_responses(good):
    def bad(change):
        return changed(good, change)

    yield "input is a number", bad(lambda b: b.update(input=5))
    yield "an unknown role", bad(lambda b: b["input"].append({"role": "robot", "content": "x"}))
    yield "an unknown item", bad(lambda b: b["input"].append({"type": "nonsense"}))
    yield "a call without a name", bad(lambda b: b["input"].append(
        {"type": "function_call", "call_id": "c", "arguments": "{}"}))
    yield "stream is a string", bad(lambda b: b.update(stream="yes"))
    yield "the limit is a string", bad(lambda b: b.update(max_output_tokens="many"))
    yield "tools is an object", bad(lambda b: b.update(tools={}))
    yield "not JSON", b"{\"model\":"


def planted_in_chat(good):
    def bad(change):
        return changed(good, change)

    def in_last_message(name, value):
        return lambda body: body["messages"][-1].__setitem__(name, value)

    yield "no model", bad(lambda b: b.pop("model"))
    yield "no messages", bad(lambda b: b.pop("messages"))
    yield "messages is a string", bad(lambda b: b.update(messages="nope"))
    yield "an unknown role", bad(in_last_message("role", "robot"))
    yield "a number as content", bad(in_last_message("content", 5))
    yield "stream is a string", bad(lambda b: b.update(stream="yes"))
    yield "the limit is a string", bad(lambda b: b.update(max_completion_tokens="many"))
    yield "tools is an object", bad(lambda b: b.update(tools={}))
    yield "a tool without its function", bad(lambda b: b.update(tools=[{"type": "function"}]))
    yield "a tool call without arguments", bad(lambda b: b["messages"].append(
        {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f"}}]}))
    yield "a tool message without its call", bad(lambda b: b["messages"].append(
        {"role": "tool", "content": "x"}))
    yield "not JSON", b"{\"model\":"


def check(dialect, port, bodies):
    path, planted_faults = dialect.path, dialect.planted
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    faults = 0
    for number, body in enumerate(bodies):
        valid, told = send(connection, path, body)
        if not valid:
            faults += 1
            print(f"request {number}: {told}\n  {body.decode()[:2000]}", file=sys.stderr)
    missed = 0
    planted = list(planted_faults(json.loads(bodies[0])))
    for what, body in planted:
        if send(connection, path, body)[0]:
            missed += 1
            print(f"accepted, although it is wrong: {what}", file=sys.stderr)
    print(f"{dialect.name}: {len(bodies)} requests, {faults} with faults; "
          f"{len(planted)} planted faults, {missed} not seen")
    return faults == 0 and missed == 0


DIALECTS = (Dialect("openai-chat", "openai.openapi.json", "/chat/completions", planted_in_chat),
            Dialect("openai-responses", "openai.openapi.json", "/responses", planted_in_responses),
            Dialect("anthropic", "anthropic.openapi.yaml", "/v1/messages", planted_in_messages))


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--build", default=str(ROOT / "build" / "dev"))
    options.add_argument("--count", type=int, default=300)
    options.add_argument("--seed", type=int, default=1)
    args = options.parse_args()
    fixtures = os.environ.get("PERDURE_FIXTURES")
    if not fixtures:
        print("not run: requests against the provider's description (PERDURE_FIXTURES is not set)")
        return 0
    encoder = pathlib.Path(args.build) / "test" / "contract" / "encode_requests"
    install()
    good = True
    for dialect in DIALECTS:
        encoded = subprocess.run([encoder, str(args.seed), str(args.count), dialect.name], check=True,
                                 capture_output=True)
        bodies = encoded.stdout.splitlines()
        if len(bodies) != args.count:
            sys.exit(f"{encoder} printed {len(bodies)} lines instead of {args.count}")
        good &= check_by(dialect, pathlib.Path(fixtures) / "provider-specs", bodies)
    return 0 if good else 1


def check_by(dialect, specs, bodies):
    with tempfile.TemporaryDirectory() as folder:
        spec = pathlib.Path(folder) / "stripped.json"
        strip_spec(specs / dialect.spec, spec)
        port = free_port()
        server = subprocess.Popen(
            [STEADY, "--host", "127.0.0.1", "-p", str(port), "--quiet", "--no-color", spec],
            stdout=subprocess.DEVNULL)
        try:
            wait_until_it_listens(server, port)
            return check(dialect, port, bodies)
        finally:
            server.terminate()
            server.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
