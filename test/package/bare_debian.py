#!/usr/bin/env python3
"""Does the tarball run on a Debian 12 that has nothing? bare_debian.py TARBALL [--tree DIR]

Makes a minimal tree with debootstrap (root, and a mirror of Debian in reach), extracts the tarball
in it, and there runs the version, a server that does a task, the command line, and the doctor.
"""
import argparse
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

SECONDS = 60


def make_tree(tree):
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", tree], check=True, stdout=subprocess.DEVNULL)


def first_line(process):
    if not select.select([process.stdout], [], [], SECONDS)[0]:
        return ""
    return process.stdout.readline().decode()


def ask(url, token, method, path, body=None):
    request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode(),
                                     {"Authorization": "Bearer " + token, "Content-Type": "application/json"},
                                     method=method)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.loads(answer.read())


def inside(tree, *command):
    """In the tree, with its /proc (by which the loader knows where a program is), and without an
    environment."""
    enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" /usr/bin/env -i PATH=/usr/bin:/bin "$@"'
    return ["unshare", "--mount", "sh", "-c", enter, str(tree), *map(str, command)]


def output(tree, *command):
    ran = subprocess.run(inside(tree, *command), capture_output=True, text=True, timeout=SECONDS)
    if ran.returncode != 0:
        raise AssertionError(f"{command}: exit {ran.returncode}: {ran.stderr}")
    return ran.stdout.strip()


def try_it(tree, tarball):
    subprocess.run(["tar", "-xzf", tarball, "-C", tree / "opt"], check=True)
    name = tarball.name.removesuffix(".tar.gz")
    binary = f"/opt/{name}/bin/perdure"
    version = output(tree, binary, "--version")
    assert version in name, version
    home = tree / "srv" / "trial"
    home.mkdir()
    (home / "perdure.toml").write_text('[agents]\nscripted = {planner = "script"}\n')
    server = subprocess.Popen(
        inside(tree, binary, "serve", "--config", "/srv/trial/perdure.toml", "--data-dir",
               "/srv/trial/data", "--listen", "127.0.0.1:0"), stdout=subprocess.PIPE)
    try:
        line = first_line(server)
        assert line.startswith("listening on "), line
        url, token = line.split()[-1], (home / "data" / "token").read_text().strip()
        task = ask(url, token, "POST", "/v1/tasks", {"agent": "scripted", "input": {"script": [{"complete": 42}]}})
        seen = ask(url, token, "GET", f"/v1/tasks/{task['id']}?wait=10")
        assert (seen["status"], seen["result"]) == ("completed", 42), seen
        server.send_signal(signal.SIGTERM)
        assert server.wait(SECONDS) == 0, server.returncode
    finally:
        if server.poll() is None:
            server.kill()
        server.wait()
    told = output(tree, binary, "doctor", "/srv/trial/data")
    assert told.endswith("0 problems"), told
    print(f"bare Debian: {version} ran a task; {told}")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("tarball", type=Path)
    options.add_argument("--tree", type=Path, help="made if it is not there, and kept")
    args = options.parse_args()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("not run: a bare Debian tree needs root and the program debootstrap")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        tree = args.tree or Path(folder) / "tree"
        if not (tree / "usr").exists():
            make_tree(tree)
        for left in (tree / "srv" / "trial", *(tree / "opt").glob("perdure-*")):
            shutil.rmtree(left, ignore_errors=True)
        try_it(tree, args.tarball)
    return 0


if __name__ == "__main__":
    sys.exit(main())
