"""What the documents show of files and of commands, held against the real binary.

A block ```toml says in its info string what it is: `operator` (the operator's file or a part of it), `agent` (the same of
an agent file) or `prices`. What a part leaves out is put around it, and the server must start with it. A line or a word in
backticks that begins with `perdure` must name a command, and only flags that it has.
"""
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test" / "system"))
from server import BINARY, Server  # noqa: E402

TOML = re.compile(r"^```toml *(\w*)\n(.*?)^```$", re.S | re.M)
LINE = re.compile(r"^ {4,}(?:\$ )?(perdure .*)$", re.M)
WORD = re.compile(r"`(perdure [^`]+)`")
ROW = re.compile(r"^\| *`(perdure [^`]+)` *\|(.*)$", re.M)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")

MODEL = {"provider": "openai-chat", "base_url": "http://127.0.0.1:9/v1", "model": "gpt-5-mini", "allow_private": True}
FREE = {"price_per_mtok": {"input": 0, "output": 0}}
TOOL = {"http": {"method": "POST", "url": "http://127.0.0.1:9/"}, "allow_private": True, "irreversible": True,
        "description": "Stands for one.",
        "input_schema": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}}
OPERATOR = {"models": {"main": MODEL | FREE, "backup": MODEL | FREE}, "tools": {"payments": TOOL, "shop.look": TOOL}}
# No server is where a document says one is: it is given up soon.
QUICK = {"timeouts": {"start": "100ms"}}
BARE = {} if shutil.which("bwrap") else {"unsafe_same_user": True}
AGENT = {"model": "main", "instructions": "You stand for one."}
FILES = {"docs.key": "k-0123456789abcdef", "verdict.schema.json": '{"type": "object"}'}


def merged(under, over):
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: merged(under.get(key), value) for key, value in over.items()}


def whole(kind, block):
    """(the operator's file, the agent files) that `block` is read in."""
    if kind == "agent":
        agent = {key: value for key, value in merged(AGENT, block).items() if key != "name"}
        return OPERATOR, {block.get("name", "shown"): agent}
    if kind == "prices":
        return {"prices": "prices.toml", "models": {"main": MODEL}}, {"shown": AGENT | {"limits": {"cost_usd": 1}}}
    more = {"mcp": {name: QUICK | (BARE if "command" in table else {}) for name, table in block.get("mcp", {}).items()},
            "tools": {name: {"irreversible": True, "shell": BARE} for name, table in block.get("tools", {}).items()
                      if BARE and "shell" in table}}
    return merged(merged(OPERATOR, more), block), {}


def why_not(kind, text):
    """What the server has against the block; None if it starts with it."""
    try:
        config, agents = whole(kind, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        return str(error)
    keys = {name: "k-0123456789abcdef" for name in re.findall(r'"env:(\w+)"', text)}
    server = Server(config, agents, keys)
    try:
        (server.folder / "project").mkdir()
        for name, content in {**FILES, "prices.toml": text}.items():
            (server.folder / name).write_text(content)
        server.start()
    except AssertionError as error:
        return str(error)
    finally:
        server.close()
    return None


def toml_faults(document, text):
    """(blocks, faults)."""
    count = 0
    faults = []
    for block in TOML.finditer(text):
        count += 1
        where = f"{document}:{text[:block.start()].count(chr(10)) + 1}"
        kind = block[1]
        why = why_not(kind, block[2]) if kind in ("operator", "agent", "prices") else \
            "say what it is: ```toml operator, agent or prices"
        if why:
            faults.append(f"{where}: {why}")
    return count, faults


@cache
def help_of(*words):
    return subprocess.run([BINARY, *words, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout


def commands_in(text):
    """The commands that a help text lists: what stands under any heading but these two."""
    sections = re.split(r"^(?=\S.*:$)", text, flags=re.M)
    return {word for section in sections if not section.startswith(("Options:", "Positionals:"))
            for word in re.findall(r"^  ([a-z-]+) {2,}\S", section, re.M)}


def command_fault(line, more=""):
    """What is wrong with a command line as it is shown; flags of `more` must be its own as well."""
    line = re.split(r"\s(?:#|\||&&|\(|;)", line)[0]
    try:
        words = [word.strip("[],") for word in shlex.split(line)[1:]]
    except ValueError as error:
        return str(error)
    path = []
    while listed := commands_in(help_of(*path)):
        if len(words) == len(path):
            return None  # a group of commands is spoken of
        if words[len(path)] not in listed:
            return None if words[len(path)].startswith("--") and not path else \
                f"there is no command '{' '.join([*path, words[len(path)]])}'"
        path.append(words[len(path)])
    known = set(FLAG.findall(help_of(*path)))
    strange = sorted(set(FLAG.findall(" ".join(words) + " " + more)) - known)
    return f"'{' '.join(path)}' has no {strange[0]}" if strange else None


def command_faults(document, text):
    """(commands, faults)."""
    shown = [(match[1], "") for pattern in (LINE, WORD) for match in pattern.finditer(text)]
    shown += [(match[1], match[2]) for match in ROW.finditer(text)]
    faults = [f"{document}: {line}: {fault}" for line, more in shown if (fault := command_fault(line, more))]
    return len(shown), faults


PLANTED = (  # and the word that says what is wrong
    ("```toml operator\n[models.main]\nprise_per_mtok = {}\n```\n", "price_per_mtok"),
    ("```toml operator\n[models.main\n```\n", "TOML|Expected"),
    ("```toml agent\nmodel = \"main\"\ntool = []\n```\n", "tools"),
    ("```toml prices\n[\"gpt-5-mini\"]\noutputs = 2\n```\n", "output"),
    ("```toml\nx = 1\n```\n", "say what it is"),
    ("    perdure db backup\n", "no command 'db'"),
    ("see `perdure tools shake`\n", "no command 'tools shake'"),
    ("    $ perdure run FILE --input\n", "no --input"),
    ("| `perdure tasks cancel TASK` | ends it; `--why WHY` |\n", "no --why"),
)


def self_test():
    faults = 0
    for text, word in PLANTED:
        found = [*toml_faults("planted", text)[1], *command_faults("planted", text)[1]]
        if not any(re.search(word, fault) for fault in found):
            faults += 1
            print(f"not found: {word!r} in {text!r}: {found}")
    return faults


def check(documents):
    """The number of faults, after each is printed."""
    tables = commands = 0
    faults = []
    for path in documents:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        for counted, (count, found) in (("t", toml_faults(name, text)), ("c", command_faults(name, text))):
            tables += count if counted == "t" else 0
            commands += count if counted == "c" else 0
            faults += found
    for fault in faults:
        print(fault)
    if not tables or not commands:
        faults.append("nothing found")
    mistakes = self_test()
    print(f"shown: {tables} TOML blocks read, {commands} commands looked up, {len(faults)} faults; "
          f"{len(PLANTED)} planted faults, {mistakes} mistakes")
    return len(faults) + mistakes


if __name__ == "__main__":
    sys.exit(1 if check(sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])) else 0)
