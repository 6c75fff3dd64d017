#!/usr/bin/env python3
"""Does the server answer as its own description says? Schemathesis asks, and judges.

    test/contract/surface.py [--build build/dev] [--seconds 240] [--seed 1]

Starts a server on a free port of the loopback interface and sends it what Schemathesis makes of
/openapi.json: good requests and bad ones, by every operation. Installs it (requirements.txt, pinned) into
a folder beside this file.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WANTED = HERE / "requirements.txt"
VENV = HERE / ".venv"
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance", "unsupported_method",
          "ignored_auth")


def install():
    stamp = VENV / ".installed"
    if stamp.exists() and stamp.read_text() == WANTED.read_text():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    subprocess.run([VENV / "bin" / "pip", "install", "-q", "--no-deps", "-r", WANTED], check=True)
    stamp.write_text(WANTED.read_text())


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--build", default=str(ROOT / "build" / "dev"))
    options.add_argument("--seconds", type=int, default=240)
    options.add_argument("--seed", type=int, default=1)
    args = options.parse_args()
    os.environ["PERDURE_BINARY"] = str(pathlib.Path(args.build).resolve() / "src" / "perdure")
    sys.path.insert(0, str(ROOT / "test" / "system"))
    from server import Server
    install()
    server = Server({"agents": {"scripts": {"planner": "script"}, "elsewhere": {"planner": "outside"}}})
    try:
        server.start()
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [VENV / "bin" / "schemathesis", "run", server.url + "/openapi.json",
                 "--header", "Authorization: Bearer " + server.token, "--checks", ",".join(CHECKS),
                 "--max-time", str(args.seconds), "--seed", str(args.seed), "--warnings", "off",
                 "--request-timeout", "70", "--exclude-operation-id", "pollPlanner"], cwd=folder)
        alive = server.is_running() and server.stop() == 0
        if not alive:
            print("the server did not survive:", server.log_text()[-2000:])
        return 1 if done.returncode or not alive else 0
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
