#!/usr/bin/env python3
"""Model-checks effect.pml: every configuration, every property, against the verdict we expect.

A weakened variant must break, and a claim about a state must be about a state that can be reached: a
checker which cannot fail proves nothing. Exit 0 only if every verdict is the expected one.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

MODEL = Path(__file__).resolve().parent / "effect.pml"
PROPERTIES = ("at_most_once", "done_honest", "terminal_immutable", "failed_honest")
SEARCH_DEPTH = 400_000
RUN_TIMEOUT_S = 300


@dataclass(frozen=True)
class Config:
    name: str
    effect: str
    flags: tuple = ()
    violated: dict = field(default_factory=dict)  # property -> why it must break
    reach: tuple = ()                             # what must be reachable
    quick: bool = False


PAUSED = "a sender paused before its send wakes up after the world was looked at"
ON_WIRE = "the request is still on its way when the world is looked at"
FORGOTTEN = "the receiver has forgotten the key when the second request arrives"
EXPIRING = ("KEY_EXPIRES",)
DONE, FAILED, DOUBT, GROUP, RESENT = "done", "failed", "in_doubt", "new_group", "resent"

CONFIGS = (
    Config("once, fenced, never resent", "ONCE",
           violated={"failed_honest": PAUSED}, reach=(DONE, FAILED, DOUBT), quick=True),
    Config("once + egress gate", "ONCE", ("EGRESS_GATE",), reach=(DONE, FAILED, DOUBT), quick=True),
    Config("once + gate, no settle", "ONCE", ("EGRESS_GATE", "NO_SETTLE"),
           violated={"failed_honest": ON_WIRE}),
    Config("idempotent", "IDEMPOTENT", reach=(DONE, RESENT), quick=True),
    Config("probe, then resend", "PROBE",
           violated={"at_most_once": PAUSED}, reach=(DONE, DOUBT, GROUP), quick=True),
    Config("probe + lease re-check before the send", "PROBE", ("RECHECK",),
           violated={"at_most_once": "the pause falls between the check and the send"}),
    Config("probe + gate + settle", "PROBE", ("EGRESS_GATE",), reach=(DONE, DOUBT, GROUP), quick=True),
    Config("probe + gate, no settle", "PROBE", ("EGRESS_GATE", "NO_SETTLE"),
           violated={"at_most_once": ON_WIRE}),
    Config("probe that closes the key", "PROBE_CLOSE", reach=(DONE, DOUBT, GROUP), quick=True),
    Config("probe that closes the key, no settle", "PROBE_CLOSE", ("NO_SETTLE",),
           reach=(DONE, DOUBT, GROUP)),
    Config("planted: probe and close are two calls", "PROBE_CLOSE", ("LATE_CLOSE",),
           violated={"at_most_once": "the request acts between the probe and the close"}),
    Config("planted: blind resend of an intent", "ONCE", ("BLIND_RESEND",),
           violated={"at_most_once": "the intent had been sent before the crash"}, quick=True),
    Config("planted: outcome without compare-and-set", "ONCE", ("NO_FENCE",),
           violated={"terminal_immutable": "a deposed node writes its outcome over a terminal one",
                     "failed_honest": PAUSED}),
    Config("planted: a send counts as done", "ONCE", ("ASSUME_DONE",),
           violated={"done_honest": "the request was lost on its way", "failed_honest": PAUSED}),
    Config("idempotent, key expires", "IDEMPOTENT", EXPIRING,
           violated={"at_most_once": FORGOTTEN}),
    Config("... + deadline on resends only", "IDEMPOTENT", EXPIRING + ("RESEND_HORIZON",),
           violated={"at_most_once": "a resend sent in time arrives after the key was forgotten"}),
    Config("... + deadline on resends only + margin", "IDEMPOTENT",
           EXPIRING + ("RESEND_HORIZON", "EXPIRY_MARGIN"),
           violated={"at_most_once": "the first send of a paused node is not a resend"}),
    Config("... + margin alone", "IDEMPOTENT", EXPIRING + ("EXPIRY_MARGIN",),
           violated={"at_most_once": FORGOTTEN}),
    Config("... + deadline on every send, no margin", "IDEMPOTENT", EXPIRING + ("SEND_DEADLINE",),
           violated={"at_most_once": "a request sent in time arrives after the key was forgotten"}),
    Config("... + deadline on every send + margin", "IDEMPOTENT",
           EXPIRING + ("SEND_DEADLINE", "EXPIRY_MARGIN"), reach=(DONE, RESENT, "forgotten"), quick=True),
)


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=RUN_TIMEOUT_S)
    return done.returncode, done.stdout + done.stderr


def build(config, folder):
    defines = [f"-DEFFECT={config.effect}"] + [f"-D{flag}" for flag in config.flags]
    # -DSAFETY: all claims are of the form "always p", so no search for cycles is needed.
    for command in (["spin", "-a", *defines, str(MODEL)],
                    ["cc", "-O1", "-w", "-DSAFETY", "-o", "pan", "pan.c"]):
        code, output = run(command, folder)
        if code != 0:
            sys.exit(f"cannot build '{config.name}': {' '.join(command)}\n{output}")


def verdict(folder, claim):
    """(ok | violated | inconclusive: why, stored states). Anything unusual is inconclusive, never a pass."""
    try:
        _, output = run(["./pan", f"-m{SEARCH_DEPTH}", "-N", claim], folder)
    except subprocess.TimeoutExpired:
        return f"inconclusive: no end within {RUN_TIMEOUT_S} s", 0
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    count = int(states.group(1)) if states else 0
    if not errors or not states or f"never claim         \t+ ({claim})" not in output:
        return "inconclusive: " + output.strip()[-200:], count
    if int(errors.group(1)) > 0:
        return ("violated" if "assertion violated  !( !(" in output
                else "inconclusive: another error"), count
    if "max search depth too small" in output or "Search not completed" in output:
        return "inconclusive: search cut short", count
    return "ok", count


def cases(config):
    for name in PROPERTIES:
        reason = config.violated.get(name)
        yield name, name, "violated" if reason else "ok", reason
    for what in config.reach:
        yield f"reachable: {what}", f"never_{what}", "violated", None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the central configurations only")
    args = parser.parse_args()
    for tool, package in (("spin", "spin"), ("cc", "gcc")):
        if not shutil.which(tool):
            sys.exit(f"check.py needs {tool}: sudo apt-get install {package}")

    started, good, total, breaks = time.monotonic(), 0, 0, 0
    print(f"{'configuration':44} {'property':22} {'expected':9} {'got':9} {'states':>8}")
    for config in CONFIGS:
        if args.quick and not config.quick:
            continue
        with tempfile.TemporaryDirectory(prefix="effect-") as folder:
            build(config, folder)
            for label, claim, expected, reason in cases(config):
                got, states = verdict(folder, claim)
                total += 1
                good += got == expected
                breaks += expected == "violated"
                note = f"  ({reason})" if reason else ""
                flag = "" if got == expected else "  <-- UNEXPECTED"
                print(f"{config.name:44} {label:22} {expected:9} {got:9} {states:8}{note}{flag}", flush=True)
    print(f"{good} of {total} verdicts as expected ({total - breaks} hold, {breaks} must break), "
          f"{time.monotonic() - started:.0f} s")
    return 0 if good == total else 1


if __name__ == "__main__":
    sys.exit(main())
