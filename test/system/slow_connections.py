#!/usr/bin/env python3
"""Thousands of connections that send slowly, stay idle or hold event streams open, while other clients
go on working. Prints what these noticed, and what the server's memory did; fails if they were disturbed.

    test/system/slow_connections.py [--connections 10000] [--seconds 30] [--build build/dev]
"""
import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import resource
import select
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# How each connection misbehaves, in turn.
KINDS = ("header", "header", "body", "idle", "stream")
PROBES = 4  # processes of well-behaved clients
DRIP_SECONDS = 1.0


class Slow:
    """One connection. `drip` sends a little more; False when the server has ended it."""

    def __init__(self, kind, address, token, task):
        self.kind = kind
        self.socket = socket.create_connection(address, timeout=20)
        head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        if kind == "header":
            self.rest = ("GET /v1/tasks HTTP/1.1\r\n" + head).encode() * 8
        elif kind == "body":
            self.socket.sendall((f"POST /v1/tasks HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
                                 "Content-Length: 1000000\r\n\r\n").encode())
            self.rest = b" " * 1_000_000
        elif kind == "idle":
            self.socket.sendall((f"GET /healthz HTTP/1.1\r\n{head}\r\n").encode())
            self.rest = b""
        else:
            self.socket.sendall((f"GET /v1/tasks/{task}/events HTTP/1.1\r\n{head}"
                                 "Accept: text/event-stream\r\n\r\n").encode())
            self.rest = b""
        self.socket.setblocking(False)
        self.at = 0

    def drip(self):
        try:
            if self.rest:
                self.at += self.socket.send(self.rest[self.at:self.at + 1])
                return self.at < len(self.rest)
            return True
        except BlockingIOError:
            return True
        except OSError:
            return False

    def hear(self):
        """Reads what came; None at the end of the connection."""
        try:
            return self.socket.recv(65536) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None


def probe(address, token, stop, out):
    """A client as it should be: submits, reads, lists, on a connection of its own."""
    host, port = address
    took, failures = [], []
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    n = 0
    while not stop.is_set():
        n += 1
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection(host, port, timeout=30)
            connection.request("POST", "/v1/tasks", json.dumps({"agent": "sleepers", "input": sleeper(n)}), headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 202:
                connection.request("GET", "/v1/tasks/" + json.loads(body)["id"], headers=headers)
                answer = connection.getresponse()
                answer.read()
            if answer.status not in (200, 202):
                failures.append(f"HTTP {answer.status}")
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            failures.append(repr(error))
        took.append(time.monotonic() - began)
        time.sleep(0.01)
    out.put((took, failures))


def sleeper(n):
    return {"script": [{"timer": {"id": f"t{n}", "after_ms": 3_600_000}}, {"await": {"timer": f"t{n}"}},
                       {"complete": 1}]}


class Probes:
    def __init__(self, address, token):
        self.stop, self.out = multiprocessing.Event(), multiprocessing.Queue()
        self.workers = [multiprocessing.Process(target=probe, args=(address, token, self.stop, self.out))
                        for _ in range(PROBES)]
        for worker in self.workers:
            worker.start()

    def end(self):
        self.stop.set()
        took, failures = [], []
        for _ in self.workers:
            mine, failed = self.out.get(timeout=60)
            took += mine
            failures += failed
        for worker in self.workers:
            worker.join(30)
        took.sort()
        return {"requests": len(took), "p50_ms": 1000 * took[len(took) // 2],
                "p99_ms": 1000 * took[len(took) * 99 // 100], "max_ms": 1000 * took[-1], "failures": failures}


def memory_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def for_a_while(address, token, seconds):
    probes = Probes(address, token)
    time.sleep(seconds)
    return probes.end()


def measure(server, count, seconds):
    """What well-behaved clients and the server's memory see of `count` bad connections."""
    host, port = server.api.address.rsplit(":", 1)
    address = (host, int(port))
    task = server.api.submit("sleepers", sleeper(0))
    quiet = for_a_while(address, server.token, min(seconds, 3))
    before_kib = memory_kib(server.process.pid)
    open_ = {}
    poll = select.epoll()
    refused = cut = 0

    def add(kind):
        nonlocal refused
        try:
            one = Slow(kind, address, server.token, task)
        except OSError:
            refused += 1
            return
        open_[one.socket.fileno()] = one
        poll.register(one.socket, select.EPOLLIN)

    for n in range(count):
        add(KINDS[n % len(KINDS)])
    opened = len(open_)
    probes = Probes(address, server.token)
    most_kib, most_open, end = 0, 0, time.monotonic() + seconds
    statuses = {}
    while time.monotonic() < end:
        round_end = time.monotonic() + DRIP_SECONDS
        gone = {fd for fd, one in open_.items() if not one.drip()}
        while (left := round_end - time.monotonic()) > 0:
            for fd, _ in poll.poll(left, 1024):
                heard = open_[fd].hear() if fd not in gone else b""
                if heard is None:
                    gone.add(fd)
                    poll.unregister(fd)
                elif heard.startswith(b"HTTP/1.1 "):
                    status = (open_[fd].kind, heard[9:12].decode())
                    statuses[status] = statuses.get(status, 0) + 1
        most_open = max(most_open, len(open_) - len(gone))
        most_kib = max(most_kib, memory_kib(server.process.pid))
        for fd in gone:  # whoever is cut comes again
            one = open_.pop(fd)
            one.socket.close()
            cut += 1
            add(one.kind)
    busy = probes.end()
    for one in open_.values():
        one.socket.close()
    return {"connections": count, "opened": opened, "most_open": most_open, "refused": refused, "cut": cut,
            "answers": {" ".join(key): value for key, value in sorted(statuses.items())},
            "before_mib": before_kib / 1024, "most_mib": most_kib / 1024,
            "kib_per_connection": (most_kib - before_kib) / max(1, most_open), "quiet": quiet, "busy": busy}


def broken_claims(found):
    """What does not hold of what was measured."""
    busy, answers = found["busy"], found["answers"]
    claims = {
        "no request of the other clients fails": not busy["failures"],
        "they get on": busy["requests"] > 100,
        "they wait less than 2 s, 99 of 100 times": busy["p99_ms"] < 2_000,
        "every connection is taken": found["refused"] == 0 and found["opened"] == found["connections"],
        "nearly all are open at once": found["most_open"] >= found["connections"] * 0.9,
        "one costs less than 64 KiB": found["kib_per_connection"] < 64,
        "who never ends a header is cut": answers.get("header 408", 0) > 0,
        "who never ends a body is cut": answers.get("body 408", 0) > 0,
    }
    return [claim for claim, holds in claims.items() if not holds]


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--connections", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--build", default=str(ROOT / "build" / "dev"))
    args = options.parse_args()
    os.environ["PERDURE_BINARY"] = str(pathlib.Path(args.build).resolve() / "src" / "perdure")
    sys.path.insert(0, str(HERE))
    from server import Server
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = Server({"agents": {"sleepers": {"planner": "script"}}})
    try:
        server.start()
        found = measure(server, args.connections, args.seconds)
    finally:
        server.close()
    broken = broken_claims(found)
    for clients in ("quiet", "busy"):
        found[clients]["failures"] = {why: found[clients]["failures"].count(why)
                                      for why in sorted(set(found[clients]["failures"]))[:5]}
    print(json.dumps(found, indent=1))
    for claim in broken:
        print("does not hold:", claim)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
