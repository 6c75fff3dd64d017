"""The Python planner on the wire, against a server that answers as told."""
import http.server
import importlib.util
import json
import pathlib
import queue
import threading
import unittest

SOURCE = pathlib.Path(__file__).parents[2] / "examples" / "script_planner.py"
TASK = {"task": "task_01hf7yat000000000000000000", "turn": 1, "upto_seq": 1}
DROP = None  # the connection ends without an answer


def plan(script):
    return {"plan": {**TASK, "attempt": 1, "after_seq": 0, "state": None, "records": [],
                     "input": {"json": {"script": script}}}}


class Stub(http.server.BaseHTTPRequestHandler):
    """Sends `replies` in order, (status, body) or DROP; then holds every request."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.put((self.path, body, self.headers["Authorization"]))
        reply = self.server.replies.get()
        if reply is DROP:
            self.close_connection = True
            return
        status, answer = reply
        text = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Poll(unittest.TestCase):
    def start(self, replies):
        spec = importlib.util.spec_from_file_location("script_planner", SOURCE)
        planner = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(planner)
        planner.os.environ["PERDURE_TOKEN"] = "secret"
        self.pauses = []
        planner.time = type("Time", (), {"sleep": self.pauses.append})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
        server.daemon_threads = True
        server.seen, server.replies = queue.Queue(), queue.Queue()
        for reply in replies:
            server.replies.put(reply)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=planner.main, args=(url, "my/script"), daemon=True).start()
        return lambda: server.seen.get(timeout=30)

    def test_polls_answers_and_polls_again(self):
        seen = self.start([(204, None), (200, plan([{"complete": 7}])), (200, {"accepted": True})])
        poll = ("/v1/planners/my%2Fscript/poll", {"version": "script/1", "wait_s": 30},
                "Bearer secret")
        self.assertEqual(seen(), poll)
        self.assertEqual(seen(), poll)
        path, turn, _ = seen()
        self.assertEqual(path, "/v1/planners/my%2Fscript/turns")
        self.assertEqual(turn, {**TASK, "planner_version": "script/1", "guarded": False,
                                "state": {"pc": 1, "i": 0, "known": {}},
                                "actions": [{"complete": 7}]})
        self.assertEqual(seen(), poll)
        self.assertEqual(self.pauses, [])

    def test_goes_on_when_the_task_has_moved_on(self):
        seen = self.start([(200, plan([])), (409, {"title": "stale"})])
        paths = [seen()[0].rsplit("/", 1)[1] for _ in range(3)]
        self.assertEqual(paths, ["poll", "turns", "poll"])
        self.assertEqual(self.pauses, [])

    def test_says_why_a_turn_was_refused(self):
        seen = self.start([(200, plan([{"note": 1}])), (422, {"detail": "too long"}),
                           (200, {"accepted": True})])
        seen(), seen()
        self.assertEqual(seen()[1], {**TASK, "error": 'refused: {"detail": "too long"}'})
        self.assertTrue(seen()[0].endswith("/poll"))

    def test_a_script_that_cannot_be_played_is_an_error(self):
        seen = self.start([(200, plan([{"cal": {}}]))])
        seen()
        turn = seen()[1]
        self.assertEqual(turn.keys(), {"task", "turn", "upto_seq", "error"})

    def test_asks_again_after_a_lost_connection_or_a_failing_server(self):
        seen = self.start([DROP, (503, None), (204, None)])
        for _ in range(4):
            self.assertTrue(seen()[0].endswith("/poll"))
        self.assertEqual(self.pauses, [1, 1])


if __name__ == "__main__":
    unittest.main()
