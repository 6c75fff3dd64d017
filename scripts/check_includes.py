#!/usr/bin/env python3
"""Holds src/ against includes.py: who may include whom, where third-party headers stand, what is pure.

    scripts/check_includes.py              # exit 1 and one line for each violation
    scripts/check_includes.py --self-test  # plants one violation of each kind; all must be found
"""
import argparse
import re
import sys
import tempfile
from pathlib import Path

import includes as rule

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
SYSTEM = re.compile(r"^[a-z0-9_]+$|^(sys|netinet|arpa|linux|net)/[a-z0-9_]+\.h$|^[a-z0-9_]+\.h$")


def folder_of(path):
    """'adapters/curl' for src/adapters/curl/call.cc, 'core' for src/core/task.h."""
    parts = Path(path).parts[1:-1]
    inner = "/".join(parts[:2])
    if inner in rule.SEES or inner.startswith("adapters/"):
        return inner
    return parts[0] if parts else ""


def without_comments_and_strings(text):
    """The same number of lines, so that line numbers stay true."""
    return NOT_CODE.sub(lambda match: "\n" * match.group().count("\n") or " ", text)


def may_see(folder, seen):
    if folder == seen:
        return True
    allowed = rule.SEES.get(folder, rule.SEES.get(folder.split("/")[0], set()))
    return allowed is None or seen in allowed


def check_own(path, folder, header):
    seen = folder_of("src/" + header)
    if not seen or (seen.split("/")[0] not in rule.SEES):
        return f'"{header}" is in no folder of src/: use <> for what is not ours'
    if not may_see(folder, seen):
        return f"{folder} may not see {seen} (includes {header})"
    if folder in rule.PURE and header in rule.IMPURE_OWN_HEADERS:
        return f"{folder} is pure and includes {header}"
    return None


def check_foreign(path, folder, header):
    for prefix, places in rule.CONFINED.items():
        if header.startswith(prefix):
            if not path.startswith(places):
                return f"<{header}> belongs in {' or '.join(places)}"
            if path.endswith(".h") and not header.startswith(rule.ANYWHERE_IN_HEADERS):
                return f"<{header}> in a header: keep it behind the .cc"
            return None
    if not SYSTEM.match(header):
        return f"<{header}> is not known: say in scripts/includes.py where it may stand"
    if folder in rule.PURE and (header in rule.IMPURE_HEADERS or header.endswith(".h")):
        return f"{folder} is pure and includes <{header}>"
    return None


def check_words(path, folder, code):
    for pattern, what, places in rule.SOURCES_OF_CHANCE:
        if folder.split("/")[0] in places or (path, what) in rule.EXCEPTIONS:
            continue
        for match in re.finditer(pattern, code):
            yield code.count("\n", 0, match.start()) + 1, f"{folder} {what}: {match.group().strip()}"
    if folder in rule.DETERMINISTIC and (path, "unordered") not in rule.EXCEPTIONS:
        for match in re.finditer(rule.UNORDERED, code):
            yield (code.count("\n", 0, match.start()) + 1,
                   f"{folder} must not depend on the order of a hash table: {match.group()}")


def violations(root):
    for file in sorted((root / "src").rglob("*")):
        if file.suffix not in (".h", ".cc"):
            continue
        path = file.relative_to(root).as_posix()
        folder = folder_of(path)
        text = file.read_text(encoding="utf-8")
        if folder.split("/")[0] not in rule.SEES:
            yield path, 1, f"the folder {folder or 'src'} has no rule in scripts/includes.py"
            continue
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                check = check_own if match.group(1) == '"' else check_foreign
                fault = check(path, folder, match.group(2))
                if fault:
                    yield path, number, fault
        for number, fault in check_words(path, folder, without_comments_and_strings(text)):
            yield path, number, fault


# What must be found: file, its text, a part of the message.
PLANTED = (
    ("src/core/a.cc", '#include "ports/store.h"', "core may not see ports"),
    ("src/core/b.cc", '#include "agent/loop.h"', "core may not see agent"),
    ("src/engine/a.cc", '#include "agent/loop.h"', "engine may not see agent"),
    ("src/engine/b.cc", '  #  include "script/script.h"', "engine may not see script"),
    ("src/engine/c.cc", '#include "adapters/sqlite/writer.h"', "engine may not see adapters/sqlite"),
    ("src/api/a.cc", '#include "adapters/asio/worker.h"', "api may not see adapters/asio"),
    ("src/api/b.cc", '#include "runtime/runtime.h"', "api may not see runtime"),
    ("src/runtime/a.cc", '#include "server/config.h"', "runtime may not see server"),
    ("src/runtime/b.cc", '#include "api/api.h"', "runtime may not see api"),
    ("src/adapters/curl/a.cc", '#include "adapters/asio/worker.h"', "may not see adapters/asio"),
    ("src/adapters/curl/b.cc", '#include "api/http.h"', "may not see api"),
    ("src/adapters/curl/c.cc", '#include "engine/engine.h"', "may not see engine"),
    ("src/model/a.cc", '#include "engine/engine.h"', "model may not see engine"),
    ("src/base/a.cc", '#include "journal/record.h"', "base may not see journal"),
    ("src/cli/a.cc", '#include "core/task.h"', "cli may not see core"),
    ("src/engine/d.cc", "#include <sqlite3.h>", "belongs in src/adapters/sqlite/"),
    ("src/adapters/sqlite/a.h", "#include <sqlite3.h>", "in a header"),
    ("src/engine/e.cc", "#include <boost/asio/post.hpp>", "belongs in"),
    ("src/base/b.cc", "#include <curl/curl.h>", "belongs in"),
    ("src/engine/f.cc", "#include <spdlog/spdlog.h>", "belongs in src/base/log.cc"),
    ("src/engine/g.cc", "#include <new/library.hpp>", "is not known"),
    ("src/core/c.cc", "#include <chrono>", "core is pure"),
    ("src/core/d.cc", "#include <unistd.h>", "core is pure"),
    ("src/agent/a.cc", '#include "base/log.h"', "agent is pure"),
    ("src/engine/h.cc", "auto t = std::chrono::steady_clock::now();", "reads a clock"),
    ("src/engine/i.cc", "std::random_device d;", "draws random numbers"),
    ("src/core/e.cc", "int x = rand();", "draws random numbers"),
    ("src/engine/j.cc", "std::thread t;", "starts threads"),
    ("src/api/c.cc", 'getenv("X");', "reads the environment"),
    ("src/runtime/c.cc", "std::this_thread::sleep_for(s);", "sleeps"),
    ("src/core/f.h", "std::unordered_map<int, int> m;", "order of a hash table"),
    ("src/script/a.h", "#include <unordered_set>", "order of a hash table"),
    ("src/other/a.h", "", "has no rule"),
)
# What must pass.
INNOCENT = (
    ("src/core/g.cc", '// std::thread and #include <sqlite3.h> in a comment\nauto s = "rand()";\n'
     '#include "core/task.h"\n#include <vector>\n'),
    ("src/adapters/sqlite/b.cc", '#include <sqlite3.h>\n#include "adapters/sqlite/writer.h"\n'),
    ("src/server/a.cc", '#include "adapters/asio/worker.h"\n#include "runtime/runtime.h"\n'),
    ("src/engine/k.cc", '#include <unordered_map>\nstd::unordered_map<int, int> m;\n'),
)


def self_test():
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text, *_ in PLANTED + INNOCENT:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        found = {}
        for path, _, message in violations(root):
            found.setdefault(path, []).append(message)
    for path, text, expected in PLANTED:
        if not any(expected in message for message in found.pop(path, [])):
            faults += 1
            print(f"not found: {expected!r} in {path}: {text}")
    for path, messages in found.items():
        faults += 1
        print(f"found where nothing is wrong: {path}: {messages}")
    print(f"{len(PLANTED)} planted violations and {len(INNOCENT)} innocent files: {faults} mistakes")
    return faults


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--self-test", action="store_true")
    if options.parse_args().self_test:
        return 1 if self_test() else 0
    count = 0
    for path, number, message in violations(ROOT):
        count += 1
        print(f"{path}:{number}: {message}")
    print(f"includes: {count} violations")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
