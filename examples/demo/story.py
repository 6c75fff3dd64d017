"""What the demo prints: one line for what happens, as it happens."""
import json
import os
import sys
import threading
import time

COLOURS = {"dim": "2", "bold": "1", "red": "31;1", "green": "32", "yellow": "33", "blue": "36"}
RESULT_MAX = 60


def short(value, most=RESULT_MAX):
    text = value if isinstance(value, str) else json.dumps(value)
    text = "".join(c if c.isprintable() else " " for c in text)  # a model or tool wrote it
    return text if len(text) <= most else text[:most - 1] + "…"


class Story:
    def __init__(self):
        self.begin = time.time()
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.pace_s = 0.25 if sys.stdout.isatty() else 0
        self.lines = []  # (seconds, who, text): the timeline
        self.lock = threading.Lock()

    def paint(self, text, colour):
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self.colours and colour else text

    def say(self, text="", colour=None):
        with self.lock:
            print(self.paint(text, colour), flush=True)

    def tell(self, who, text, colour=None):
        seconds = time.time() - self.begin
        with self.lock:
            self.lines.append((seconds, who, text))
            print(f"{seconds:6.1f} s  {who:14} {self.paint(text, colour)}", flush=True)
        time.sleep(self.pace_s)


class Follower(threading.Thread):
    """Reads the task's events, through every death of the server, and tells each once."""

    def __init__(self, story, task, server):
        super().__init__(daemon=True)
        self.story, self.task, self.server = story, task, server
        self.after = 0
        self.events = []
        self.questions = set()  # the interrupts that are open
        self.ended = threading.Event()
        self.why_ended = None

    def run(self):
        while not self.ended.is_set():
            page = self.server.try_get(f"/v1/tasks/{self.task}/events?after={self.after}&limit=1000")
            for event in page["events"] if page else []:
                self.after = event["seq"]
                self.events.append(event)
                self.show(event)
                self.follow(event["type"], event["data"])
                if event["type"] in ("task.completed", "task.failed", "task.cancelled"):
                    self.ended.set()
            time.sleep(0.03)

    def follow(self, kind, data):
        if kind == "interrupt.requested":
            self.questions.add(data["interrupt"])
        elif kind in ("interrupt.resolved", "interrupt.withdrawn", "interrupt.expired"):
            self.questions.discard(data["interrupt"])
        elif kind in ("task.failed", "task.cancelled"):
            self.why_ended = "the " + kind.replace(".", " ") + ": " + short(data.get("detail", json.dumps(data)), 200)

    def show(self, event):
        kind, data = event["type"], event["data"]
        tool, attempt = data.get("tool"), data.get("attempt", 1)
        again = f" (attempt {attempt})" if attempt > 1 else ""
        tell = self.story.tell
        if kind == "tool.planned":
            self.args = short(data.get("args", {}))
            tell("model", f"calls {tool} {self.args}", "blue")
        elif kind == "tool.succeeded":
            tell(tool, f"done{again}: {short(data.get('result'))}", "green")
        elif kind == "tool.intended" and attempt > 1:
            tell(tool, f"sent again with the same key{again}", "yellow")
        elif kind in ("tool.in_doubt", "model.superseded"):
            tell(tool or "model", f"its answer is lost: {data.get('detail', 'in doubt')}", "yellow")
        elif kind == "model.requested" and attempt > 1:
            tell("model", f"called again{again}: what was answered is never paid for twice, this was not", "yellow")
        elif kind in ("tool.failed", "model.failed"):
            tell(tool or "model", f"failed: {short(data.get('detail', ''))}", "red")
        elif kind == "interrupt.requested":
            tell("a question", data["message"], "yellow")
        elif kind == "interrupt.resolved":
            tell("you", data["decision"], "bold")
        elif kind == "task.completed":
            result = data.get("result", {})
            tell("model", result.get("text", short(result)) if isinstance(result, dict) else short(result), "blue")
