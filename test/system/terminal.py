"""The binary at a terminal: a person who reads the screen and types."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from server import BINARY

SECONDS = 20
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    def __init__(self, *args, env=None, cwd=None, rows=40, columns=120):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", **(env or {})}
        environment.pop("NO_COLOR", None) if "NO_COLOR" not in (env or {}) else None

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([BINARY, *map(str, args)], stdin=slave, stdout=slave, stderr=slave,
                                        env=environment, cwd=cwd, preexec_fn=own_terminal)
        os.close(slave)
        self.raw = ""
        self.at = 0  # what was read up to here was looked for

    def read(self, seconds):
        """More of it; False when there will be no more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self.raw += piece.decode("utf-8", "replace")
        return bool(piece)

    @property
    def text(self):
        """All that was written, without colours and movements."""
        return CONTROL.sub("", self.raw)

    def expect(self, words, seconds=SECONDS):
        """Until these words come, after those of the last time. What stands before them."""
        deadline = time.monotonic() + seconds
        more = True
        while words not in self.text[self.at:]:
            if not more or time.monotonic() > deadline:
                raise AssertionError(f"{words!r} does not come; the screen:\n{self.text[-3000:]}")
            more = self.read(0.2)
        begin = self.text.index(words, self.at)
        before, self.at = self.text[self.at:begin], begin + len(words)
        return before

    def type(self, line):
        os.write(self.master, (line + "\n").encode())

    def interrupt(self):
        os.write(self.master, b"\x03")

    def end(self, seconds=SECONDS):
        """Its exit status."""
        deadline = time.monotonic() + seconds
        while self.read(0.2) and time.monotonic() < deadline and self.process.poll() is None:
            pass
        status = self.process.wait(max(1, deadline - time.monotonic()))
        while select.select([self.master], [], [], 0)[0] and self.read(0):
            pass
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
