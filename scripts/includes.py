"""What a folder of src/ may see: the dependency rule of ARCHITECTURE.md, as data."""

BASE = {"base"}
SCHEMA = BASE | {"schema"}
JOURNAL = BASE | {"journal"}
CORE = JOURNAL | {"core"}
PORTS = JOURNAL | {"ports"}
ENGINE = CORE | PORTS | {"engine"}
RUNTIME = ENGINE | {"schema", "agent", "script", "telemetry", "model", "tool", "tool/mcp",
                    "runtime"}

# Folder -> the folders whose headers it may include; its own is always among them.
SEES = {
    "base": BASE,
    "schema": SCHEMA,
    "journal": JOURNAL,
    "core": CORE,
    "agent": JOURNAL | SCHEMA | {"agent"},
    "script": JOURNAL | {"script"},
    "telemetry": JOURNAL | {"telemetry"},
    "ports": PORTS,
    "model": PORTS | {"model"},
    "tool": PORTS | SCHEMA | {"tool", "tool/mcp"},
    "tool/mcp": BASE | {"tool/mcp"},
    "engine": ENGINE,
    "api": ENGINE | {"api"},
    "runtime": RUNTIME,
    "adapters": PORTS,  # and itself; never another adapter
    "adapters/asio": PORTS | {"api"},
    "server": None,  # everything
    "cli": PORTS | {"cli"},  # it speaks HTTP, through the port
}

# Third-party header -> where it may stand. A header that is not here and not the system's is refused.
CONFINED = {
    "boost/json/": ("src/",),
    "fmt/": ("src/",),
    "tl/expected.hpp": ("src/base/error.h",),
    "boost/asio": ("src/adapters/asio/",),
    "boost/beast": ("src/adapters/asio/",),
    "boost/url/": ("src/tool/url_template.cc",),
    "curl/": ("src/adapters/curl/",),
    "sqlite3.h": ("src/adapters/sqlite/",),
    "spdlog/": ("src/base/log.cc",),
    "openssl/": ("src/base/hash.cc",),
    "toml++/": ("src/server/toml.cc",),
    "CLI/": ("src/server/main.cc", "src/cli/"),
    "re2/": ("src/schema/pattern.cc",),
}
# Of these, a header of ours may include no more than the first three.
ANYWHERE_IN_HEADERS = ("boost/json/", "fmt/", "tl/expected.hpp")

# These folders are functions of their input: state and records in, records and text out.
PURE = ("schema", "journal", "core", "agent", "script", "telemetry", "tool/mcp")
DETERMINISTIC = ("schema", "core", "agent", "script", "telemetry")
IMPURE_HEADERS = {
    "chrono", "ctime", "random", "thread", "mutex", "shared_mutex", "condition_variable", "future",
    "semaphore", "barrier", "latch", "stop_token", "coroutine", "atomic", "filesystem", "fstream",
    "iostream", "cstdio", "csignal", "locale", "clocale",
}
IMPURE_OWN_HEADERS = {"base/log.h", "base/secrets.h"}

# (pattern, what it is, folders where it may stand)
SOURCES_OF_CHANCE = (
    (r"\b\w+_clock\s*::\s*now\b|\bclock_gettime\b|\bgettimeofday\b|\bstd::time\b|\bstd::clock\b",
     "reads a clock", ("adapters",)),
    (r"\brandom_device\b|\bmt19937|\b(std::)?s?rand\s*\(|\bgetrandom\b|\b\w+_distribution\b",
     "draws random numbers", ("adapters",)),
    (r"\bgetenv\b", "reads the environment", ("base", "server", "cli")),
    (r"\bstd::j?thread\b|\bstd::async\b", "starts threads", ("adapters", "runtime", "server", "cli")),
    (r"\bsleep_for\b|\bsleep_until\b|\busleep\b|\bnanosleep\b", "sleeps", ()),
)
UNORDERED = r"\bunordered_(multi)?(map|set)\b|\bstd::hash\b"

# (file, what) -> why it may stand there nevertheless.
EXCEPTIONS = {
    ("src/script/program.h", "unordered"): "looked up by name, never walked",
    ("src/script/mentions.cc", "unordered"): "looked up by name, never walked",
    ("src/base/keyed_hash.cc", "draws random numbers"): "a key of hash tables, which changes nothing that is seen",
}
