"""The tests' side of outside.py: starts it, gives it rules, asks what it received."""
import http.client
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 20


class Endpoint:
    def __init__(self):
        self.process = subprocess.Popen([sys.executable, HERE / "outside.py"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError("outside.py did not start")
        self.port = int(line)
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def order(self, name, order):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS + 10)
        try:
            connection.request("POST", "/_control/" + name, json.dumps(order))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def rules(self, *rules):
        self.order("rules", list(rules))

    def requests(self, path=None, contains=""):
        return [request for request in self.order("requests", {})
                if path in (None, request["path"].split("?")[0]) and contains in request["body"]]

    def release(self, name):
        self.order("release", {"name": name})

    def wait_held(self, name, count=1):
        """Until `count` requests have come to the hold under these rules."""
        if not self.order("wait", {"held": name, "count": count, "seconds": SECONDS}):
            raise AssertionError(f"nothing came to the hold {name!r} within {SECONDS} s; "
                                 f"received: {[r['path'] for r in self.requests()]}")

    def wait_count(self, count, path=None, contains=""):
        order = {"count": count, "contains": contains, "seconds": SECONDS}
        if path is not None:
            order["path"] = path
        if not self.order("wait", order):
            raise AssertionError(f"{len(self.requests(path, contains))} of {count} requests to {path} "
                                 f"within {SECONDS} s")
