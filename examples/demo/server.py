"""A running `perdure serve` that the demo starts, asks and kills."""
import json
import subprocess
import sys
import urllib.error
import urllib.request

STOP_S = 30  # calls under way may take `drain` to end


class Server:
    def __init__(self, binary, config, data_dir, log):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(
            [binary, "serve", "--config", config, "--data-dir", data_dir, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.wait()
            sys.exit("the server did not start:\n" + log.read_text())
        self.url = line.split()[-1]
        self.token = (data_dir / "token").read_text().strip()

    def kill(self):
        self.process.kill()  # SIGKILL: no handler runs, nothing is flushed
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self.log.close()

    def call(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", "Bearer " + self.token)
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        with urllib.request.urlopen(request, timeout=90) as response:
            return json.load(response)

    def try_get(self, path):
        """None if nobody answers: the server may just have been killed."""
        try:
            return self.call("GET", path)
        except (urllib.error.URLError, ConnectionError, json.JSONDecodeError):
            return None
