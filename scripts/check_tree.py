#!/usr/bin/env python3
"""Small rules for the files of the tree that no other tool checks.

    scripts/check_tree.py              # exit 1 and one line for each violation; long files are only named
    scripts/check_tree.py --self-test  # plants one violation of each kind; all must be found
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".h", ".cc", ".py", ".sh", ".md", ".txt", ".toml", ".cmake"}
LONG_LINES = 500
NAME = re.compile(r"^[a-z0-9_]+\.(h|cc)$")
WAITS = re.compile(r"\bsleep_for\b|\bsleep_until\b|\busleep\s*\(")
# A script that looks again and again may pause between two looks, and no longer.
PY_SLEEPS = re.compile(r"\bsleep\(([^)\n]*)\)")
PAUSE_MAX_S = 0.1
PY_MAY_SLEEP = {
    "test/system/tool_server.py": "a tool that never answers",
    "test/system/slow_connections.py": "measures for so many seconds",
}
USING_STD = re.compile(r"^\s*using namespace std\s*;", re.M)
DATA = ("test/golden/", "test/fuzz/corpus/", "test/powerloss/corpus/")  # bytes, not text


def check(path, text):
    """(line, what is wrong) for the file `path`, relative to the root."""
    name = path.rsplit("/", 1)[-1]
    is_source = path.endswith((".h", ".cc"))
    lines = text.split("\n")
    if is_source and not NAME.match(name):
        yield 1, "file names are snake_case"
    if path.endswith(".h") and "#pragma once" not in lines[:3]:
        yield 1, "a header begins with #pragma once"
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        if is_source and "\t" in line:
            yield number, "a tab"
    if is_source and USING_STD.search(text):
        yield 1, "using namespace std"
    if path.startswith("test/") and is_source and WAITS.search(text):
        yield 1, "a test that sleeps: wait for what should happen"
    if path.startswith("test/") and path.endswith(".py") and sleeps_long(text) != (path in PY_MAY_SLEEP):
        yield 1, ("does not sleep: it needs no exception" if path in PY_MAY_SLEEP else
                  "a test that sleeps: wait for what should happen")


def sleeps_long(text):
    for argument in PY_SLEEPS.findall(text):
        try:
            long = float(argument) > PAUSE_MAX_S
        except ValueError:
            long = True
        if long:
            return True
    return False


def is_long(path, text):
    return path.endswith((".h", ".cc", ".py")) and text.count("\n") > LONG_LINES


def tracked_texts():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for path in filter(None, listed.split("\0")):
        file = ROOT / path
        if path.startswith(DATA) or not file.is_file():
            continue
        if file.suffix in TEXT or (not file.suffix and path.startswith(("scripts/", ".ci/", "dev"))):
            yield path, file.read_text(encoding="utf-8")


GOOD = "#pragma once\nint f();\n"
PLANTED = (
    ("src/a/BadName.h", GOOD, "snake_case"),
    ("src/a/a.h", "int f();\n", "#pragma once"),
    ("src/a/b.h", "#pragma once", "newline"),
    ("src/a/c.h", "#pragma once \n", "white space"),
    ("src/a/d.cc", "\tint x;\n", "a tab"),
    ("src/a/e.cc", "using namespace std;\n", "using namespace std"),
    ("test/a_test.py", "time.sleep(1)\n", "sleeps"),
    ("test/a_test.py", "time.sleep(seconds)\n", "sleeps"),
    ("test/system/tool_server.py", "time.sleep(0.1)\n", "needs no exception"),
    ("test/a_test.cc", "std::this_thread::sleep_for(1ms);\n", "sleeps"),
)


def self_test():
    faults = 0
    for path, text, expected in PLANTED:
        if not any(expected in what for _, what in check(path, text)):
            faults += 1
            print(f"not found: {expected!r} in {path}")
    for path, text in (("src/a/a.h", GOOD), ("test/x.cc", GOOD), ("test/x.py", "time.sleep(0.02)\n")):
        for _, what in check(path, text):
            faults += 1
            print(f"found where nothing is wrong: {path}: {what}")
    if not is_long("a.cc", "\n" * (LONG_LINES + 1)) or is_long("a.cc", "\n" * LONG_LINES):
        faults += 1
        print("the length of a file is counted wrongly")
    print(f"{len(PLANTED)} planted violations: {faults} mistakes")
    return faults


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--self-test", action="store_true")
    if options.parse_args().self_test:
        return 1 if self_test() else 0
    count = 0
    for path, text in tracked_texts():
        for number, what in check(path, text):
            count += 1
            print(f"{path}:{number}: {what}")
        if is_long(path, text):
            print(f"note: {path} has more than {LONG_LINES} lines")
    print(f"tree: {count} violations")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
