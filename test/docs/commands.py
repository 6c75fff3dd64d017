#!/usr/bin/env python3
"""Runs the commands that the documents show, and holds their files, commands and tables against the binary and the code.

A block ```sh whose info string ends in "run" is run line by line from the root of the tree; each line
must succeed. Lines that begin with # are comments.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCK = re.compile(r"^```sh run\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
TIMEOUT_S = 100


def documents():
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def run_blocks(document):
    faults, count = 0, 0
    for block in BLOCK.findall(document.read_text(encoding="utf-8")):
        for command in filter(None, (line.split(" #")[0].strip() for line in block.splitlines())):
            if command.startswith("#"):
                continue
            count += 1
            run = subprocess.run(["bash", "-c", command], cwd=ROOT, timeout=TIMEOUT_S, text=True,
                                 stdin=subprocess.DEVNULL, capture_output=True)
            if run.returncode != 0:
                faults += 1
                print(f"{document.name}: {command}: exit {run.returncode}\n{run.stdout}{run.stderr}")
    return faults, count


def broken_links(document):
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if not (document.parent / target).exists():
            print(f"{document.relative_to(ROOT)}: leads nowhere: {target}")
            yield target


def main():
    faults = commands = 0
    for document in documents():
        bad, count = run_blocks(document)
        commands += count
        faults += bad + len(list(broken_links(document)))
    if commands == 0:
        faults += 1
        print("no document shows a command that can be run")
    for held in ("shown.py", "facts.py"):
        faults += subprocess.run([sys.executable, "-B", ROOT / "test/docs" / held]).returncode
    print(f"documents: {len(documents())} read, {commands} commands run, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
