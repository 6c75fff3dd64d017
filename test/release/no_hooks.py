#!/usr/bin/env python3
"""Is the shipping binary free of test hooks? no_hooks.py RELEASE_BINARY INSTRUMENTED_BINARY

No name of a crash point, of a planted bug or of the switch that arms them may stand in the first, and
it starts where the second is killed. All of the words must stand in the second, and it must be killed:
else this looks for the wrong things.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SWITCHES = ["PERDURE_CRASH_AT", "PERDURE_PLANT", "PERDURE_FREE_BYTES", "crash-points"]


def crash_points():
    table = (ROOT / "src/base/crash_points.h").read_text()
    return re.findall(r'^\s+"([a-z_]+\.[a-z_]+)",', table, re.M)


def bugs():
    body = re.search(r"enum class Bug \{(.*?)\};", (ROOT / "src/base/hooks.h").read_text(), re.S).group(1)
    names = [name for name in re.findall(r"\bk([A-Z]\w*)", body) if name != "None"]
    return [re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in names]


def survives(binary):
    """Whether a server that is told to end itself when its store is open goes on to listen."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "perdure.toml"
        config.write_text("")
        server = subprocess.Popen(
            [binary, "serve", "--config", config, "--data-dir", f"{folder}/data", "--listen",
             "127.0.0.1:0"],
            env=os.environ | {"PERDURE_CRASH_AT": "store.opened:1"}, stdout=subprocess.PIPE)
        listens = server.stdout.readline().startswith(b"listening")
        server.terminate()
        server.wait(30)
        return listens


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    shipped, instrumented = (Path(path).read_bytes() for path in sys.argv[1:])
    words = SWITCHES + crash_points() + bugs()
    left = [word for word in words if word.encode() in shipped]
    unseen = [word for word in words if word.encode() not in instrumented]
    listed = subprocess.run([sys.argv[1], "crash-points"], capture_output=True).returncode == 0
    for word in left:
        print(f"in the shipping binary: {word}")
    for word in unseen:
        print(f"not even in the instrumented binary: {word}")
    if listed:
        print("the shipping binary lists crash points")
    killed = not survives(sys.argv[1])
    missed = survives(sys.argv[2])
    if killed:
        print("the shipping binary ends where PERDURE_CRASH_AT says")
    if missed:
        print("the instrumented binary does not end where PERDURE_CRASH_AT says")
    print(f"hooks: {len(words)} words, {len(left)} in the shipping binary")
    return 1 if left or unseen or listed or killed or missed else 0


if __name__ == "__main__":
    sys.exit(main())
