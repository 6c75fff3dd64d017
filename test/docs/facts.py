#!/usr/bin/env python3
"""Do the tables of the documents say what the code says?

The arrows of an effect (docs/guarantees.md, src/core/effect_machine.cc), the types of records
(docs/journal.md, the golden list of numbers), that docs/operations.md or docs/guide names every key of the
operator's file and of an agent's file, the exit statuses, that each row of "After a crash" has its scenario, and that
docs/api.md is what api/openapi.json says, and that the description of an agent file there has the members that are read.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def snake(name):
    """'kAwaitingApproval' -> 'awaiting_approval'."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name.removeprefix("k")).lower()


def table_after(text, mark, columns):
    """The rows of the first table behind `mark`, as tuples of their first columns."""
    begin = text.index(mark)
    rows = []
    for line in text[begin:].splitlines()[1:]:
        if line.startswith("|"):
            rows.append(tuple(cell.strip() for cell in line.strip("|").split("|"))[:columns])
        elif rows:
            break
    return rows[2:]


def arrows():
    code = re.findall(r"\{S::(\w+), E::(\w+), S::(\w+)\}", read("src/core/effect_machine.cc"))
    shown = table_after(read("docs/guarantees.md"), "<!-- arrows:", 3)
    return [tuple(map(snake, arrow)) for arrow in code], shown


def records():
    numbers = read("test/golden/records/numbers.txt")
    code = re.findall(r"^Record (\d+) (\w+)$", numbers, re.M)
    return code, table_after(read("docs/journal.md"), "<!-- records:", 2)


# What reads the files that people write.
READERS = ("src/server/config.cc", "src/server/people_config.cc", "src/server/policy_config.cc",
           "src/server/mcp_config.cc", "src/server/tool_terms.cc", "src/server/http_tool_config.cc",
           "src/server/shell_tool_config.cc", "src/server/telemetry.cc", "src/model/model_config.cc", "src/agent/agent_file.cc")
KEY = re.compile(r"\b(?:in|http|retry|times|prices)\.(?:string|strings|string_pairs|value|integer|number|boolean|object|array|"
                 r"duration_ms|choice|has)\(\s*\"([a-z_]+)\"|\b(?:read_paths|words|count|tables)\([^\"()]*\"([a-z_]+)\"")
NOT_YET = {"compensation"}  # refused, with the reason


def keys():
    code = {a or b for path in READERS for a, b in KEY.findall(read(path))} - NOT_YET
    shown = set(re.findall(r"[a-z_]+", read("docs/operations.md") + "".join(path.read_text("utf-8") for path in ROOT.glob("docs/guide/*.md"))))
    return sorted(code), sorted(code & shown)


AGENT_KEY = re.compile(r"\b(?:in\.(?:string|value|integer|number|boolean)\(|words\(in, )\"([a-z_]+)\"")


def agent_file():
    """The members of an agent file: those that are read, and those of the API's description."""
    code = re.findall(AGENT_KEY, read("src/agent/agent_file.cc"))
    schema = json.loads(read("api/openapi.json"))["components"]["schemas"]["AgentFile"]
    shown = [name for table in (schema, *schema["properties"].values()) for name in table.get("properties", {})]
    return sorted(set(code)), sorted(shown)


def exits():
    """The exit statuses: the program's, those of its help, and those of the two tables for people."""
    header = read("src/cli/exit_status.h")
    code = re.findall(r"^inline constexpr int \w+ = (\d+);", header, re.M)
    helped = re.findall(r"\b(\d+) [a-z]", header[header.index("kExitStatusHelp"):])
    told = [row for (row,) in table_after(read("docs/cli.md"), "## Scripts", 1)]
    served = [row for (row,) in table_after(read("docs/operations.md"), "# Running a server", 1)]
    code += [f"{status}, which is in the help" for status in code] + [f"{status} of a server" for status in code
                                                                     if status in served]
    told += [f"{status}, which is in the help" for status in helped] + [f"{status} of a server" for status in served]
    return code, told


def crashes():
    """Each row of the table of what is executed again has a scenario of its name, or a test of the
    real server that names it."""
    told = re.findall(r"^scenario: (.*)$", read("test/scenario/told/after_a_crash.txt"), re.M)
    told += re.findall(r"^ *# row: (.*)$", read("test/system/shell_test.py"), re.M)
    return told, [row for (row,) in table_after(read("docs/guarantees.md"), "## After a crash", 1)]


def main():
    faults = 0
    for name, (code, shown) in {"arrows": arrows(), "records": records(), "keys": keys(),
                                "agent file": agent_file(), "exit statuses": exits(),
                                "after a crash": crashes()}.items():
        if not code or not shown:
            faults += 1
            print(f"{name}: found {len(code)} in the code, {len(shown)} in the document")
        for item in sorted(set(code) - set(shown)):
            faults += 1
            print(f"{name}: not in the document: {item}")
        for item in sorted(set(shown) - set(code)):
            faults += 1
            print(f"{name}: not in the code: {item}")
        print(f"{name}: {len(code)} in the code, {len(shown)} in the document")
    faults += subprocess.run([ROOT / "scripts" / "api_reference", "--check"]).returncode
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
