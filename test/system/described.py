"""Holds every answer that a system test gets against api/openapi.json, and notes what was seen, so that
the runner can say which documented answers nobody has ever got."""
import atexit
import json
import os
import pathlib
import re

from schema import check

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = json.loads((ROOT / "api" / "openapi.json").read_text("utf-8"))
METHODS = ("get", "post", "put", "delete", "patch")
# What the server says of any request, before it looks at a route.
ANYWHERE = {400: "not HTTP/1.1", 408: "came too slowly", 413: "longer than anything that is accepted",
            414: "a target longer than 8 KiB", 417: "an expectation that is not known",
            421: "a Host that is not this server's", 431: "a header longer than 16 KiB",
            501: "a transfer coding that is not known", 503: "too many connections",
            505: "another version of HTTP"}
# Documented answers that no system test gets, and why.
STOPPING = "while the server stops, or too much work waits: test/engine holds it there"
NO_SERVER = "it needs a server of tools: test/api/tools_test.cc has one"
UNREADABLE = "the store cannot be read, and a store that failed ends the process first"
UNSEEN = {
    "POST /v1/tasks 503": STOPPING, "PUT /v1/agents/{name} 503": STOPPING, "POST /v1/keys 503": STOPPING,
    "DELETE /v1/keys/{id} 503": STOPPING,
    "POST /v1/tools/{server}/accept 409": NO_SERVER, "POST /v1/tools/{server}/accept 503": NO_SERVER,
    "GET /readyz 503": UNREADABLE, "GET /v1/tasks/{id}/damage 500": UNREADABLE,
    "POST /v1/tasks/{id}/end-damaged 500": UNREADABLE,
    "GET /v1/tasks/{id}/events 503": "4,096 streams are open: test/api/events_test.cc",
}

SEEN = set()


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in item.keys() & set(METHODS):
            yield f"{method.upper()} {path}", item[method]


def pattern(path):
    return re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part)
                               for part in path.split("/")))


# Paths without parameters first: they would fit others too.
PATHS = sorted(((path, pattern(path)) for path in DOCUMENT["paths"]), key=lambda item: "{" in item[0])


def resolved(response):
    while "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[-1]]
    return response


def against(method, target, reply):
    """What does not fit the description, as lines."""
    target = target.split("?", 1)[0]
    path = next((path for path, shape in PATHS if shape.fullmatch(target)), None)
    known = DOCUMENT["paths"].get(path, {})
    operation = known.get("get" if method == "HEAD" else method.lower())
    where = f"{method} {path or target}, HTTP {reply.status}"
    if operation is None:
        fits = reply.status in ANYWHERE or reply.status in (401, 403, 404, 405)
        return problem_body(where, reply) if fits else [f"{where}: is not described"]
    SEEN.add(f"{method} {path} {reply.status}")
    response = operation["responses"].get(str(reply.status))
    if response is None:
        return problem_body(where, reply) if reply.status in ANYWHERE else [f"{where}: is not described"]
    content = resolved(response).get("content")
    if method == "HEAD" or not reply.body or content is None:
        return [] if not reply.body else [f"{where}: a body is not described"]
    kind = reply.headers.get("content-type", "").split(";")[0]
    if kind not in content:
        return [f"{where}: {kind or 'no type'} is not described"]
    body_schema = content[kind].get("schema")
    if body_schema is None or "json" not in kind:
        return []
    return [f"{where}: {line}" for line in check(DOCUMENT, body_schema, json.loads(reply.body))]


def problem_body(where, reply):
    if not reply.body:
        return []
    problem = {"$ref": "#/components/schemas/Problem"}
    return [f"{where}: {line}" for line in check(DOCUMENT, problem, json.loads(reply.body))]


@atexit.register
def save():
    if folder := os.environ.get("PERDURE_SEEN"):
        (pathlib.Path(folder) / str(os.getpid())).write_text("\n".join(sorted(SEEN)), "utf-8")


def never_seen(folder):
    """Documented answers that are neither in the notes of this run nor excused; and needless excuses."""
    seen = set()
    for note in pathlib.Path(folder).iterdir():
        seen |= set(note.read_text("utf-8").splitlines())
    documented = {f"{name} {status}" for name, operation in operations()
                  for status in operation["responses"]}
    return (sorted(documented - seen - UNSEEN.keys()),
            sorted(name for name in UNSEEN if name in seen or name not in documented))
