#!/usr/bin/env python3
"""Is the tarball whole? check.py TARBALL

Extracted into an empty folder: every library that anything in it needs is in it or is the C
library's, each has its licence, and the binary runs from another folder without an environment.
"""
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

OF_THE_SYSTEM = re.compile(r"(ld-linux[-\w]*|libc|libm|libdl|librt|libpthread|libresolv)\.so\.\d+")
SIZE_MAX = 15_000_000


def needed(file):
    told = subprocess.run(["readelf", "--dynamic", file], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", told)


def problems(tarball):
    if tarball.stat().st_size > SIZE_MAX:
        yield f"it has {tarball.stat().st_size} bytes, more than {SIZE_MAX}"
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(tarball) as archive:
            archive.extractall(folder, filter="data")
        tree, = Path(folder).iterdir()
        binary, shipped = tree / "bin" / "perdure", {file.name for file in (tree / "lib").iterdir()}
        for file in [binary, *(tree / "lib").iterdir()]:
            for name in needed(file):
                if name not in shipped and not OF_THE_SYSTEM.fullmatch(name):
                    yield f"{file.name} needs {name}, which is not in it"
        ran = subprocess.run([binary, "--version"], env={}, cwd="/", capture_output=True, text=True)
        if ran.returncode != 0 or ran.stdout.strip() not in tree.name:
            yield f"--version: exit {ran.returncode}, {ran.stdout!r}, {ran.stderr!r}"
        loaded = subprocess.run(["ldd", binary], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True).stdout
        for line in loaded.splitlines():
            name = Path(line.split()[0]).name
            if name in shipped and f"=> {tree}/" not in line.replace("/bin/../", "/"):
                yield f"{name} comes from elsewhere: {line.strip()}"
        for name in ("LICENSE", "README.md", "docs/operations.md", "examples"):
            if not (tree / name).exists():
                yield f"{name} is missing"
        for package in ("libcli11-dev", "libexpected-dev", "libboost1.81-dev", "libre2-dev", "libsqlite3-dev"):
            if not (tree / "licenses" / f"{package}.txt").exists():
                yield f"the licence of {package}, which is in the binary, is missing"
        if len(list((tree / "licenses").iterdir())) < len(shipped) // 2:
            yield "there are fewer licences than libraries of different sources"


def main():
    found = list(problems(Path(sys.argv[1])))
    for problem in found:
        print(f"package: {problem}")
    print(f"package: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
