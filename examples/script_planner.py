#!/usr/bin/env python3
"""A planner in a process of its own: plays the script that is a task's input. The built-in planner
`script` does the same and gives the same answers; src/script/script.h describes the language.

    PERDURE_TOKEN=... script_planner.py http://127.0.0.1:8420 NAME

`answer` is the planner, a pure function of the plan. The rest polls for plans and sends answers.
Standard library only; use it as the beginning of your own.
"""
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

VERSION = "script/1"
ACTIONS_MAX, OPERATIONS_MAX = 500, 10_000  # of one turn: a longer one goes on in the next
KINDS = ("call", "timer", "note", "await", "complete", "fail")
OUTCOMES = ("succeeded", "failed", "denied", "unknown")
DECIDED = {"happened": "succeeded", "respond": "succeeded", "not_happened": "failed", "dismiss": "unknown",
           "reject": "denied"}


class Repeat:
    def __init__(self, item, first):
        body = item["do"]
        self.count, self.first, self.loop = item["repeat"], first, first + len(body)
        self.steps = {inner["call"]["step"] for inner in body if "call" in inner}
        self.timers = {inner["timer"]["id"] for inner in body if "timer" in inner}


class Operation(NamedTuple):
    kind: str
    body: Any = None
    condition: Any = None
    otherwise: int = 0  # where to go on if the condition is false
    repeat: Any = None  # whose body this is in


class Script:
    """A flat list of operations, and for each step the last one that asks about it."""

    def __init__(self, source):
        self.operations, self.outcome_until, self.result_until = [], {}, {}
        for item in source["script"]:
            if "repeat" in item:
                repeat = Repeat(item, len(self.operations) + 1)
                self.operations.append(Operation("enter", None, item.get("if"), repeat.loop + 1))
                for inner in item["do"]:
                    self.add(inner, repeat)
                self.operations.append(Operation("loop", repeat=repeat))
            else:
                self.add(item)
        self.operations.append(Operation("complete"))
        for at, operation in enumerate(self.operations):
            self.mention(at, operation)

    def add(self, item, repeat=None):
        (kind, body), = ((key, value) for key, value in item.items() if key != "if")
        if kind not in KINDS:
            raise ValueError(f"{kind}: expected one of {', '.join(KINDS)}")
        otherwise = len(self.operations) + 1
        self.operations.append(Operation(kind, body, item.get("if"), otherwise, repeat))

    def mention(self, at, operation):
        seen, repeat, body = [], operation.repeat, operation.body
        if operation.condition:
            holds(operation.condition, lambda test: seen.append((test["step"], "equals" in test)))
        values = [body.get("args"), body.get("result")] if operation.kind == "call" else [body]
        if operation.kind in ("call", "note", "complete"):
            fill(values, lambda step: seen.append((step, True)))
        for step, result in seen:
            local = repeat is not None and step in repeat.steps
            key = (repeat.first, step) if local else step
            until = repeat.loop if repeat is not None and not local else at
            self.outcome_until[key] = until
            if result:
                self.result_until[key] = until

    def needs(self, until, step, at, iteration):
        repeat, (base, _, number) = self.operations[at].repeat, step.rpartition("/")
        inside = repeat is not None and number == str(iteration)
        return (until.get(step, -1) >= at or
                inside and until.get((repeat.first, base), -1) >= at)


def holds(condition, test):
    if "not" in condition:
        return not holds(condition["not"], test)
    for word, combine in (("all", all), ("any", any)):
        if word in condition:
            return combine([holds(part, test) for part in condition[word]])
    return test(condition)


def fill(value, result):
    if isinstance(value, list):
        return [fill(item, result) for item in value]
    if not isinstance(value, dict):
        return value
    if "$result" in value:
        return result(value["$result"])
    return {key: fill(item, result) for key, item in value.items()}


def find(value, pointer):  # RFC 6901
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and re.fullmatch("0|[1-9][0-9]{0,17}", token):
            value = value[int(token)]
        elif isinstance(value, dict):
            value = value[token]
        else:
            raise LookupError(pointer)
    return value


def canonical(value):
    return json.dumps(value, sort_keys=True)


def value_of(payload):
    for form in ("json", "text", "hex"):
        if form in payload:
            return payload[form]
    raise ValueError("the script needs a result whose bytes are not at hand")


class Turn:
    def __init__(self, script, state):
        self.script, self.actions, self.operation = script, [], None
        self.at, self.iteration = state.get("pc", 0), state.get("i", 0)
        self.asked = state.get("asked", {})
        self.known = {step: [*entry, None][:2] for step, entry in state.get("known", {}).items()}

    def needs(self, until, step):
        return self.script.needs(until, step, self.at, self.iteration)

    def settle(self, step, outcome, *payload):
        if not self.needs(self.script.outcome_until, step):
            return
        known = self.known.setdefault(step, [None, None])
        if payload and self.needs(self.script.result_until, step):
            known[1] = value_of(payload[0]) if payload[0] is not None else None
        elif known[0] != outcome:
            known[1] = None
        known[0] = outcome

    def see(self, record):
        kind, step = record["type"], record.get("step", "")
        if kind == "step_settled" and record["outcome"] in ("succeeded", "failed"):
            self.settle(step, record["outcome"], record.get("result"))
        elif kind == "step_closed" and record["state"] in OUTCOMES:
            self.settle(step, record["state"])
            if step in self.known and record.get("same_as") in self.known:
                self.known[step][1] = self.known[record["same_as"]][1]
        elif kind == "step_planned" and record["verdict"] == "deny":
            self.settle(step, "denied")
        elif kind == "interrupt_requested" and self.needs(self.script.outcome_until, step):
            if record["reason"] in ("tool_approval", "possible_duplicate", "uncertain_outcome"):
                self.asked[str(record["seq"])] = step
        elif kind == "interrupt_resolved":
            step = self.asked.pop(str(record["interrupt_seq"]), "")
            result = [record.get("given")] if record["decision"] in ("happened", "respond") else []
            if record["decision"] in DECIDED:
                self.settle(step, DECIDED[record["decision"]], *result)

    def name(self, text, kind="steps"):
        repeat = self.operation.repeat
        return f"{text}/{self.iteration}" if repeat and text in getattr(repeat, kind) else text

    def result(self, step):
        return self.known.get(self.name(step), (None, None))[1]

    def test(self, condition):
        outcome, result = self.known.get(self.name(condition["step"]), (None, None))
        if outcome != condition["is"] or "equals" not in condition:
            return outcome == condition["is"]
        try:
            found = find(result, condition.get("at", ""))
        except LookupError:
            return False
        return canonical(found) == canonical(condition["equals"])

    def awaited(self, what):
        if what == "news":
            return {"op": "news"}
        (op, value), = (what if isinstance(what, dict) else {"step": what}).items()
        if op in ("any", "all"):
            return {"op": op, "of": [self.awaited(part) for part in value]}
        return {"op": op, "name": self.name(value, op + "s")}

    def run(self):
        """Plays operations until the turn is over, and returns how it ends."""
        for _ in range(OPERATIONS_MAX):
            kind, body, condition, otherwise, repeat = self.operation = self.script.operations[self.at]
            if len(self.actions) >= ACTIONS_MAX and kind not in ("await", "enter", "loop"):
                break
            if condition and not holds(condition, self.test):
                self.at = otherwise
                continue
            self.at += 1
            if kind == "await":
                return {"await": self.awaited(body)}
            if kind == "enter":
                self.iteration = 0
            elif kind == "loop":
                self.iteration = (self.iteration + 1) % repeat.count
                self.at = repeat.first if self.iteration else self.at
            else:
                self.actions.append(self.action(kind, body))
            if kind in ("complete", "fail"):
                self.at, self.iteration = len(self.script.operations) - 1, 0
                return {}
        return {"more": True}

    def action(self, kind, body):
        if kind == "call":
            call = {key: value for key, value in body.items() if key not in ("tool", "model")}
            call["step"] = self.name(body["step"])
            call["kind"] = "tool" if "tool" in body else "model"
            call["name"] = body[call["kind"]]
            for key in {"args", "result"} & call.keys():
                call[key] = fill(call[key], self.result)
            return {"call": call}
        if kind == "timer":
            return {"timer": {**body, "id": self.name(body["id"], "timers")}}
        if kind == "fail":
            return {"fail": {"message": body}}
        return {kind: fill(body, self.result)}

    def state(self):
        known = {step: entry[:1 + self.needs(self.script.result_until, step)]
                 for step, entry in self.known.items()
                 if self.needs(self.script.outcome_until, step)}
        asked = {seq: step for seq, step in self.asked.items()
                 if self.needs(self.script.outcome_until, step)}
        return {"pc": self.at, "i": self.iteration, "known": known,
                **({"asked": asked} if asked else {})}


def answer(plan):
    turn = {key: plan[key] for key in ("task", "turn", "upto_seq")}
    try:
        source = plan["input"]["json"]
        run = Turn(Script(source), plan["state"] or {})
        for record in plan["records"]:
            run.see(record)
        end = run.run()
        return {**turn, "planner_version": VERSION, "guarded": source.get("guarded", False),
                "state": run.state(), "actions": run.actions, **end}
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return {**turn, "error": f"{type(error).__name__}: {error}"[:1000]}


def post(url, body):
    headers = {"Content-Type": "application/json",
               "Authorization": "Bearer " + os.environ.get("PERDURE_TOKEN", "")}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read() or b"{}")


def work(planner, plan):
    turn = answer(plan)
    try:
        post(planner + "/turns", turn)
    except urllib.error.HTTPError as error:
        if error.code == 422:  # the turn is malformed: say so, or the task waits for it
            reason = "refused: " + error.read().decode(errors="replace")[:1000]
            turn = {key: plan[key] for key in ("task", "turn", "upto_seq")}
            post(planner + "/turns", {**turn, "error": reason})
        elif error.code != 409:  # 409: the task has moved on without us
            raise


def main(server, name):
    planner = f"{server}/v1/planners/{urllib.parse.quote(name, safe='')}"
    while True:
        try:
            plan = post(planner + "/poll", {"version": VERSION, "wait_s": 30}).get("plan")
            if plan:
                work(planner, plan)
        except OSError as error:  # what was not answered is asked again
            print(f"{planner}: {error}", file=sys.stderr)
            time.sleep(1)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
