#pragma once
// What tools there are: for people, for the API, and for whoever gives tools to an agent.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/terms.h"

namespace perdure {

// What the operator declared about a tool.
struct ToolRules {
  Contract contract;
  bool ask = true;  // a person approves each call
  // JSON Pointers: what makes two calls the same wish; none: all arguments.
  std::vector<std::string> identity{};
  // For people: how to find out whether a call has happened. "{key}" and "{argument}" stand for
  // what the call carried.
  std::string check{};
  bool declared = true;  // false: nothing was said, and the strictest is taken
};

// A server of tools says itself what it offers. What it offered at first contact, or what was
// accepted since, may be called; everything else waits for the operator.
enum class ToolState : uint8_t {
  kOk,
  kNew,          // offered since; nobody accepted it, and no agent has it
  kChanged,      // its description or schema is not the accepted one
  kGone,         // accepted, and no longer offered
  kUnreachable,  // accepted; its server does not answer now, and calls wait for it
};
constexpr std::string_view to_string(ToolState state) {
  constexpr std::string_view kWords[] = {"ok", "new", "changed", "gone", "unreachable"};
  return kWords[static_cast<size_t>(state)];
}
// May agents have it?
constexpr bool is_accepted(ToolState state) {
  return state != ToolState::kNew;
}

struct ToolEntry {
  std::string name;    // for models and contracts: "payments", "shop.get_order"
  std::string kind;    // "http", "mcp", "shell"
  std::string server;  // "shop"; empty if the operator's file declares the tool itself
  std::string description;
  std::string input_schema;  // as accepted; of a new tool, as offered
  ToolRules rules;
  ToolState state = ToolState::kOk;
  std::string why;             // why calls are refused or wait; empty if they do not
  std::string sha256;          // hex, of all that is pinned; empty if nothing is
  std::string offered_sha256;  // the same, as offered now; empty if it is not
  // For people, without credentials: where calls go, with "{argument}" where one stands in it, and
  // how their key travels.
  std::string to;
  std::string key_in;
  // Of a changed one: all that is pinned, as accepted and as offered now. JSON.
  std::string definition;
  std::string offered_definition;
};

// For a person who decides about one call: the server that gets it, how its key travels (empty: it
// does not), and the operator's words on how to find out whether it arrived (may be empty).
struct CallPlace {
  std::string to;
  std::string key_in;
  std::string check;
};

struct ToolServerEntry {
  std::string name;
  std::string kind;
  bool connected = false;
  std::string why;             // why not; empty while it is being started
  std::string version;         // what it says of itself, with its protocol's revision
  std::string offered_sha256;  // hex, of the list that it offers now; empty if not known
  size_t not_accepted = 0;     // tools that are new, changed or gone
};

class ToolCatalog {
 public:
  virtual ~ToolCatalog() = default;
  // All thread-safe. Sorted by name.
  virtual std::vector<ToolEntry> tools() const = 0;
  virtual std::vector<ToolServerEntry> servers() const = 0;
  // Of a call with these arguments, as the tool is configured now; nothing if it is not. `args` is
  // a JSON text.
  virtual std::optional<CallPlace> place(const std::string& tool, std::string_view args,
                                         std::string_view key) const = 0;
  // From now on what the server offers is what may be called; durable when it returns. `seen`: the
  // `offered_sha256` of the list that was looked at (kConflict if it is another by now), or empty.
  // The names of the tools that this is about.
  virtual Result<std::vector<std::string>> accept(const std::string& server,
                                                  const std::string& seen) = 0;
};

}  // namespace perdure
