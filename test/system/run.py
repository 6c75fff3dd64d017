#!/usr/bin/env python3
"""Runs the tests from outside against the real binary, a process for each class of tests.

    test/system/run.py [--build build/dev] [--jobs N] [--strict] [NAME...]

NAME picks files or classes (`spine`, `crash_test.Kill`). Prints one line a class, and all the output
of those that failed. PERDURE_FIXTURES names a folder with recorded streams of providers; what is not
run without it is said.
"""
import argparse
import concurrent.futures
import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import described

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CLASS_SECONDS = 150


def classes():
    """Every class that holds tests, as `module.Class`, the longest first."""
    sys.path.insert(0, str(HERE))
    found = []
    for path in sorted(HERE.glob("*_test.py")):
        module = importlib.import_module(path.stem)
        for name, item in vars(module).items():
            if (isinstance(item, type) and issubclass(item, unittest.TestCase)
                    and item.__module__ == path.stem
                    and unittest.defaultTestLoader.getTestCaseNames(item)):
                found.append((-getattr(item, "WEIGHT", 1), f"{path.stem}.{name}"))
    return [name for _, name in sorted(found)]


def run(name, binary, seen):
    began = time.monotonic()
    environment = {**os.environ, "PERDURE_BINARY": str(binary), "PERDURE_SEEN": str(seen)}
    process = subprocess.Popen([sys.executable, "-m", "unittest", "-v", name], cwd=HERE, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace")
    try:
        output, _ = process.communicate(timeout=CLASS_SECONDS)
        failed = process.returncode != 0
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        output += f"\nended by the runner after {CLASS_SECONDS} s\n"
        failed = True
    return name, failed, output, time.monotonic() - began


def left_out(output):
    """What the class was run without."""
    skipped = re.search(r"skipped=(\d+)", output)
    return int(skipped.group(1)) if skipped else len(re.findall(r"^not run", output, re.M))


def summary(name, failed, output, seconds):
    count = re.search(r"^Ran (\d+) test", output, re.M)
    skipped = re.search(r"skipped=(\d+)", output)
    return (f"{'FAILED' if failed else 'ok':6} {name:40} {count.group(1) if count else '?':>3} tests"
            f"{', ' + skipped.group(1) + ' skipped' if skipped else ''}, {seconds:.1f} s")


def describe(seen):
    """Whether all that api/openapi.json says was met: 1 if not."""
    unseen, needless = described.never_seen(seen)
    for name in unseen:
        print(f"api/openapi.json: no test gets the answer {name}; provoke it, or say why not in described.py")
    for name in needless:
        print(f"described.py: {name} needs no excuse")
    return 1 if unseen or needless else 0


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--build", default=str(ROOT / "build" / "dev"))
    options.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 2))
    options.add_argument("--strict", action="store_true",
                         help="an answer of api/openapi.json that no test gets is a failure")
    options.add_argument("names", nargs="*")
    args = options.parse_args()
    binary = pathlib.Path(args.build).resolve() / "src" / "perdure"
    if not binary.exists():
        sys.exit(f"{binary} is not there: build it first")
    chosen = [name for name in classes() if not args.names or any(part in name for part in args.names)]
    if not chosen:
        sys.exit("no test has such a name")
    began, failures, skipped = time.monotonic(), 0, 0
    seen = tempfile.mkdtemp(prefix="perdure-seen-")
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for future in concurrent.futures.as_completed(pool.submit(run, name, binary, seen)
                                                      for name in chosen):
            name, failed, output, seconds = future.result()
            print(summary(name, failed, output, seconds), flush=True)
            print("".join(line + "\n" for line in output.splitlines() if line.startswith("not run")), end="")
            left = left_out(output)
            skipped += left
            if left and not re.search("^not run", output, re.M):
                print(f"not run: {left} tests of {name}")
            if failed:
                failures += 1
                print(output)
    if not args.names:
        gaps = describe(seen)
        failures += gaps if args.strict else 0
    shutil.rmtree(seen)
    print(f"{len(chosen)} classes, {failures} failed, {skipped} tests skipped, {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
