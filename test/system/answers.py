"""What models and tools answer: steps for outside.py. Streams are recorded ones where there are any
(PERDURE_FIXTURES), and hand-written ones otherwise."""
import json
import os
import pathlib

SSE = {"Content-Type": "text/event-stream"}
MODEL_PATH = "/v1/chat/completions"


def fixture(name):
    """The chunks of a recorded stream, parsed; None if there are no recordings."""
    folder = os.environ.get("PERDURE_FIXTURES")
    if not folder:
        return None
    text = (pathlib.Path(folder) / "provider-streams" / (name + ".chunks.txt")).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def chunk(delta, finish=None, usage=None):
    out = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1764664568, "model": "m-1",
           "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    if usage:
        out["usage"] = usage
    return out


USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def text_chunks(text, finish="stop"):
    half = len(text) // 2
    return [chunk({"role": "assistant", "content": ""}), chunk({"content": text[:half]}),
            chunk({"content": text[half:]}), chunk({}, finish, USAGE)]


def call_chunks(*calls, finish="tool_calls"):
    """`calls`: (id, tool, arguments as a value or as text), streamed in pieces."""
    out = [chunk({"role": "assistant", "content": None})]
    for index, (call_id, name, arguments) in enumerate(calls):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        half = len(text) // 2
        head = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        out.append(chunk({"tool_calls": [head]}))
        for piece in (text[:half], text[half:]):
            out.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    return out + [chunk({}, finish, USAGE)]


def events(chunks, done=True):
    lines = ["data: " + (c if isinstance(c, str) else json.dumps(c)) + "\n\n" for c in chunks]
    return lines + (["data: [DONE]\n\n"] if done else [])


def stream(chunks, hold=None, hold_at=0):
    """A streamed answer; with `hold` it stops before event `hold_at` until that is released."""
    steps = [["head", 200, SSE]]
    for at, event in enumerate(events(chunks)):
        if hold and at == hold_at:
            steps.append(["hold", hold])
        steps.append(["body", event])
    return steps + [["end"]]


def says(text, **conditions):
    """A rule: the model says this."""
    return {"path": MODEL_PATH, "steps": stream(text_chunks(text)), **conditions}


def calls(*tool_calls, **conditions):
    """A rule: the model asks for these calls, as for call_chunks."""
    return {"path": MODEL_PATH, "steps": stream(call_chunks(*tool_calls)), **conditions}


def replies(path, value, status=200, headers=None, **conditions):
    """A rule: a tool answers with JSON."""
    head = {"Content-Type": "application/json", **(headers or {})}
    return {"path": path, "steps": [["head", status, head], ["body", json.dumps(value)], ["end"]],
            **conditions}


def held(path, name, value, **conditions):
    """A rule: a tool that has read the request answers when `name` is released."""
    rule = replies(path, value, **conditions)
    return {**rule, "steps": [["hold", name], *rule["steps"]]}
