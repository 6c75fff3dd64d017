"""The world outside of Perdure, for the demo: a ledger, a mailer and files, behind HTTP.

It lives in the demo's process, so that it survives the server's death, like the world does. It counts every
request that reaches it. `hold` makes it act on a request and keep the answer back.
"""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORDERS = {
    "42": {"order": "42", "customer": "Ann", "article": "teapot", "cents": 2450, "days_late": 0},
    "77": {"order": "77", "customer": "Bob", "article": "puzzle", "cents": 1800, "days_late": 12},
}


class Hold:
    """One request acts, and gets no answer before `release`."""

    def __init__(self):
        self.acted = threading.Event()
        self.released = threading.Event()

    def pause(self):
        if not self.acted.is_set():
            self.acted.set()
            self.released.wait()


class Office:
    def __init__(self, folder):
        self.folder = folder
        (folder / "replies").mkdir()
        self.lock = threading.Lock()
        self.received = {}  # what -> how many requests came in
        self.keys = {}      # what -> the keys that they carried
        self.refunds = {}   # key -> refund: the ledger remembers keys
        self.vouchers = []  # the mailer does not
        self.holds = {"refund": Hold(), "send_voucher": Hold()}
        handler = type("Handler", (OfficeHandler,), {"office": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def release(self):
        for hold in self.holds.values():
            hold.released.set()

    def close(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def note(self, what, key):
        with self.lock:
            self.received[what] = self.received.get(what, 0) + 1
            self.keys.setdefault(what, set()).add(key)

    def refund(self, key, body):
        with self.lock:
            known = key in self.refunds
            self.refunds.setdefault(key, {"refunded": body["order"], "cents": body["cents"]})
            (self.folder / "ledger.json").write_text(json.dumps(list(self.refunds.values()), indent=1))
        self.holds["refund"].pause()
        return {**self.refunds[key], "known_before": known}

    def send_voucher(self, body):
        with self.lock:
            self.vouchers.append(body)
            number = len(self.vouchers)
        self.holds["send_voucher"].pause()
        return {"voucher": f"V{number}", **body}

    def write_reply(self, customer, text):
        if not customer.isalpha():
            return 422, {"error": "a customer's name has letters only"}
        (self.folder / "replies" / f"{customer}.txt").write_text(text + "\n")
        return 200, {"written": f"replies/{customer}.txt"}

    def read_message(self, name):
        known = {path.name: path for path in (self.folder / "messages").iterdir()}
        if name not in known:
            return 404, {"error": f"there is no message '{name}'"}
        return 200, {"name": name, "text": known[name].read_text()}


class OfficeHandler(BaseHTTPRequestHandler):
    office = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the one who asked is dead

    def do_GET(self):
        place, _, name = self.path.strip("/").partition("/")
        if place == "messages" and not name:
            names = sorted(path.name for path in (self.office.folder / "messages").iterdir())
            return self.answer(200, {"messages": names})
        if place == "messages":
            return self.answer(*self.office.read_message(name))
        if place == "orders" and name in ORDERS:
            return self.answer(200, ORDERS[name])
        self.answer(404, {"error": f"there is no {self.path}"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        if self.path == "/refunds":
            self.office.note("refund", key)
            return self.answer(200, self.office.refund(key, body))
        self.office.note("send_voucher", key)
        self.answer(200, self.office.send_voucher(body))

    def do_PUT(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        customer = self.path.rsplit("/", 1)[-1]
        self.office.note("write_reply", self.headers["Idempotency-Key"])
        self.answer(*self.office.write_reply(customer, body.get("text", "")))
