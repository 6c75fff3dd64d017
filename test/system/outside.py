#!/usr/bin/env python3
"""The outside world in a process of its own: an HTTP server that is told how to answer, and that
remembers what it received. Ends when its standard input does.

Under /_control/ it takes orders (endpoint.py has the other side):
  rules     (forgets the holds of before) [{"path"?, "contains"?, "lacks"?, "round"?, "times"?, "steps": [...]}], the first that
            fits answers. `contains` and `lacks` are looked for in the body; `round` is the number
            of messages of the assistant in it, so that a request that comes again after a crash
            gets the same answer again.
  requests  what has arrived, in order
  wait      until {"count"} requests that fit {"path"?, "contains"?} have arrived, or a hold
  release   lets everything that stands at hold `name` go on, now and later
Steps: ["head", status, {headers}], ["body", text] (a chunk), ["end"], ["raw", latin-1 text],
["hold", name], ["cut"] (close without an end), ["reset"] (close with RST), ["flood", bytes].
"""
import asyncio
import json
import os
import struct
import socket
import sys

MAX_BODY = 64 << 20


class Outside:
    def __init__(self):
        self.rules, self.requests, self.released, self.held = [], [], set(), []
        self.changed = asyncio.Condition()

    async def serve(self, reader, writer):
        try:
            request = await self.read(reader)
            if request is None:
                return
            if request["path"].startswith("/_control/"):
                await self.control(request, writer)
            else:
                await self.answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()

    async def read(self, reader):
        line = (await reader.readline()).decode("latin-1").split()
        if len(line) < 2:
            return None
        headers = {}
        while (text := (await reader.readline()).decode("latin-1").strip()):
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        early = self.early(line[1])
        size = min(int(headers.get("content-length", 0)), MAX_BODY)
        body = "" if early else (await reader.readexactly(size)).decode("utf-8", "surrogateescape")
        return {"method": line[0], "path": line[1], "headers": headers, "body": body}

    def early(self, path):
        return any(rule.get("unread") and rule.get("path") == path.split("?")[0] for rule in self.rules)

    async def control(self, request, writer):
        order = json.loads(request["body"] or "{}")
        name = request["path"].split("/")[-1]
        if name == "rules":
            self.rules = order
            self.released.clear()
            self.held.clear()
            result = True
        elif name == "requests":
            result = self.requests
        elif name == "release":
            self.released.add(order["name"])
            result = True
            await self.tell()
        elif name == "wait":
            result = await self.wait(order)
        body = json.dumps(result).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()

    async def tell(self):
        async with self.changed:
            self.changed.notify_all()

    async def wait(self, order):
        def holds():
            if "held" in order:
                return self.held.count(order["held"]) >= order.get("count", 1)
            return sum(fits(order, request) for request in self.requests) >= order["count"]
        async with self.changed:
            try:
                await asyncio.wait_for(self.changed.wait_for(holds), order.get("seconds", 20))
            except asyncio.TimeoutError:
                return False
        return True

    def choose(self, request):
        for rule in self.rules:
            if rule.get("times") == 0 or not fits(rule, request):
                continue
            if "times" in rule:
                rule["times"] -= 1
            return rule["steps"]
        return [["head", 599, {}], ["body", "no rule fits"], ["end"]]

    async def answer(self, request, writer):
        self.requests.append(request)
        steps = self.choose(request)
        await self.tell()
        for kind, *args in steps:
            if kind == "head":
                headers = {"Transfer-Encoding": "chunked", "Connection": "close", **args[1]}
                lines = [f"HTTP/1.1 {args[0]} Told", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
                writer.write("\r\n".join(lines).encode())
            elif kind == "body":
                data = args[0].encode("utf-8", "surrogateescape")
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            elif kind == "end":
                writer.write(b"0\r\n\r\n")
            elif kind == "raw":
                writer.write(args[0].encode("latin-1"))
            elif kind == "hold":
                await self.hold(args[0])
            elif kind == "flood":
                for _ in range(args[0] // 65536):
                    writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                    await writer.drain()
            elif kind == "cut":
                return
            elif kind == "reset":
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            else:
                raise ValueError(kind)
            await writer.drain()

    async def hold(self, name):
        self.held.append(name)
        await self.tell()
        async with self.changed:
            await self.changed.wait_for(lambda: name in self.released)


def rounds(body):
    try:
        return sum(message.get("role") == "assistant" for message in json.loads(body)["messages"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return -1


def fits(rule, request):
    return ((rule.get("path") in (None, request["path"].split("?")[0]))
            and rule.get("contains", "") in request["body"]
            and not ("lacks" in rule and rule["lacks"] in request["body"])
            and ("round" not in rule or rule["round"] == rounds(request["body"])))


async def main():
    outside = Outside()
    server = await asyncio.start_server(outside.serve, "127.0.0.1", 0, limit=1 << 20, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # whatever is still held


if __name__ == "__main__":
    asyncio.run(main())
