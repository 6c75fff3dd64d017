"""The real binary: its files, its process, its ends."""
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from api import Api

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("PERDURE_BINARY", str(ROOT / "build" / "dev" / "src" / "perdure"))
START_SECONDS = 30
BARE = re.compile("[A-Za-z0-9_-]+")


def toml_value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # numbers, booleans and strings are written alike


def toml_key(key):
    return key if BARE.fullmatch(key) else json.dumps(key)


def toml(document):
    """Two levels of tables, what is deeper inline."""
    lines = [f"{toml_key(k)} = {toml_value(v)}" for k, v in document.items() if not isinstance(v, dict)]
    for name, table in document.items():
        if not isinstance(table, dict):
            continue
        plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
        lines += [f"[{toml_key(name)}]", *(f"{toml_key(k)} = {toml_value(v)}" for k, v in plain.items())]
        for inner, inner_table in table.items():
            if isinstance(inner_table, dict):
                lines.append(f"[{toml_key(name)}.{toml_key(inner)}]")
                lines += [f"{toml_key(k)} = {toml_value(v)}" for k, v in inner_table.items()]
    return "\n".join(lines) + "\n"


def run(*args, seconds=60, env=None, cwd=None):
    """The binary as a command that ends."""
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=seconds,
                          env={**os.environ, **(env or {})}, cwd=cwd)


class Server:
    """One data directory; may be started and killed many times. `agents`: name -> agent file."""

    def __init__(self, config, agents=None, env=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perdure-system-"))
        self.data = self.folder / "data"
        self.env = {"PATH": os.environ.get("PATH", ""), **(env or {})}
        self.process = None
        self.listen = "127.0.0.1:0"
        self.configure(config, agents)

    def configure(self, config, agents=None):
        tables = dict(config)
        if agents:
            tables["agents"] = {**tables.get("agents", {}), **{name: name + ".toml" for name in agents}}
        for name, agent in (agents or {}).items():
            (self.folder / (name + ".toml")).write_text(toml({"name": name, **agent}), "utf-8")
        (self.folder / "perdure.toml").write_text(toml(tables), "utf-8")

    def start(self, *flags):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--config", self.folder / "perdure.toml", "--data-dir", self.data,
             "--listen", self.listen, *flags],
            stdout=subprocess.PIPE, stderr=self.log, env=self.env)
        line = self.first_line()
        if not line.startswith("listening on "):
            status = self.ended(START_SECONDS)
            raise AssertionError(f"did not start (exit {status}): {self.log_text()[-2000:]}")
        self.url = line.split()[-1]
        self.token = (self.data / "token").read_text().strip()
        self.api = Api(self.url, self.token)
        return self

    def first_line(self):
        deadline = time.monotonic() + START_SECONDS
        text = b""
        while not text.endswith(b"\n") and time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 0.5)[0]:
                piece = os.read(self.process.stdout.fileno(), 4096)
                if not piece:
                    break
                text += piece
        return text.decode()

    def kill(self):
        """As if the power of this process went: nothing is flushed, nothing is said."""
        self.process.kill()
        return self.ended()

    def stop(self, seconds=30):
        """Asks it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended(seconds)

    def ended(self, seconds=30):
        status = self.process.wait(seconds)
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return status

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def log_text(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.ended()
        shutil.rmtree(self.folder, ignore_errors=True)
