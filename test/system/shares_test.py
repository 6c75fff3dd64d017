"""What one tenant wants in plenty leaves enough for another."""
import http.server
import statistics
import threading
import time

import answers
from case import SystemTest

A_SECOND = 4


class LimitedProvider:
    """Takes so many calls a second, with room for a second's worth at once; others get 429."""

    def __init__(self):
        self.calls, self.refused = [], 0
        lock, room = threading.Lock(), [A_SECOND, time.monotonic()]
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with lock:
                    now = time.monotonic()
                    room[0] = min(A_SECOND, room[0] + A_SECOND * (now - room[1]))
                    room[1] = now
                    taken = room[0] >= 1
                    if taken:
                        room[0] -= 1
                        provider.calls.append((now, body))
                    else:
                        provider.refused += 1
                text = "".join(answers.events(answers.text_chunks("Done."))) if taken else "{}"
                self.send_response(200 if taken else 429)
                self.send_header("Content-Type", "text/event-stream" if taken else "application/json")
                self.send_header("Content-Length", str(len(text)))
                if not taken:
                    self.send_header("Retry-After", "1")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def called_at(self, words):
        return next((at for at, body in list(self.calls) if words in body), None)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Shares(SystemTest):
    def tenant(self, server, name, scopes=("run",)):
        made = server.api.post("/v1/keys", {"name": name, "scopes": list(scopes), "tenant": name})
        self.assertEqual(made.status, 201, made)
        return made.json["key"]

    def test_a_slow_model_is_shared_in_turns(self):
        provider = LimitedProvider()
        self.addCleanup(provider.close)
        config = self.config()
        config["models"]["main"]["base_url"] = provider.url
        del config["models"]["main"]["retry"]
        server = self.server(config)
        busy, other = self.tenant(server, "busy"), self.tenant(server, "other")

        def submit(token, words):
            made = server.api.post("/v1/tasks", {"agent": "orders", "input": words}, token=token)
            self.assertEqual(made.status, 202, made)
            return made.json["id"]

        for number in range(100):
            submit(busy, f"plenty {number}")
        self.until(lambda: provider.refused > 0)
        waits = []
        for number in range(5):
            began = time.monotonic()
            submit(other, f"just one {number}.")
            self.until(lambda: provider.called_at(f"just one {number}."), seconds=20)
            waits.append(provider.called_at(f"just one {number}.") - began)
        self.assertLess(statistics.median(waits), 1.0, waits)
        self.assertLess(max(waits), 3.0, waits)
        self.assertIsNone(provider.called_at("plenty 99"), "the busy one still waits")

    def test_a_planner_queue_and_names_of_planners(self):
        server = self.server(self.config(), {"orders": {"model": "main", "instructions": "x"}})
        busy, other = (self.tenant(server, name, ("plan",)) for name in ("busy", "other"))

        def poll(token, name):
            return server.api.post(f"/v1/planners/{name}/poll", {"wait_s": 0, "version": "1"}, token=token)

        statuses = [poll(busy, f"p{number}").status for number in range(260)]
        self.assertIn(422, statuses, "not every name is one tenant's")
        self.assertIn(poll(other, "mine").status, (200, 204))

    def test_keys(self):
        server = self.server()
        admin = self.tenant(server, "busy", ("admin",))
        refused = None
        for number in range(10_001):
            made = server.api.post("/v1/keys", {"name": f"k{number}", "scopes": ["run"]}, token=admin)
            if made.status != 201:
                refused = made
                break
        self.assertEqual(refused.status, 507, refused)
        self.assertIn("tenant 'busy' has as many keys as one tenant may have", refused.json["detail"])
        self.tenant(server, "other")
        own, one = server.api.get("/v1/keys?limit=2", token=admin).json["keys"]
        self.assertEqual((own["name"], one["name"]), ("busy", "k0"))
        self.assertEqual(server.api.call("DELETE", "/v1/keys/" + one["id"], token=admin).status, 204)
        again = server.api.post("/v1/keys", {"name": "again", "scopes": ["run"]}, token=admin)
        self.assertEqual(again.status, 201, again)
