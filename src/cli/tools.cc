#include "cli/tools.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/glob.h"
#include "base/percent.h"
#include "cli/diff.h"
#include "cli/private_server.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int64_t kConnectMs = 15'000;
constexpr int64_t kLookMs = 200;

struct Offer {
  std::vector<json::object> tools;
  std::vector<json::object> servers;
};

void append(const json::object& page, std::string_view name, std::vector<json::object>& out) {
  const json::array* items = array_in(page, name);
  for (size_t i = 0; items != nullptr && i < items->size(); ++i) {
    if (const json::object* item = (*items)[i].if_object()) out.push_back(*item);
  }
}

Result<Offer> read_offer(Client& client) {
  Offer offer;
  std::string cursor;
  do {
    TRY_ASSIGN(const Answer answer,
               client.get("/v1/tools?limit=200" +
                              (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)),
                          "tools"));
    append(answer.object(), "tools", offer.tools);
    // Of the first page: their hashes are no newer than any tool that is shown.
    if (cursor.empty()) append(answer.object(), "servers", offer.servers);
    cursor = text_at(answer.object(), "next_cursor");
  } while (!cursor.empty());
  return offer;
}

bool is_connected(const json::object& server) {
  return text_at(server, "connected") == "true";
}

// The name of a tool without its server's.
std::string own_name(const json::object& tool) {
  const std::string name = text_at(tool, "name");
  const std::string prefix = text_at(tool, "server") + ".";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::string effect_of(const json::object& tool) {
  const json::object* contract = object_in(tool, "contract");
  return contract != nullptr ? text_at(*contract, "effect") : "";
}

// A guess by the name alone, and said to be one.
bool sounds_like_reading(const std::string& name) {
  static constexpr std::string_view kVerbs[] = {"get",  "list", "read",  "search", "find",
                                                "show", "look", "count", "query",  "describe"};
  return std::any_of(std::begin(kVerbs), std::end(kVerbs), [&](std::string_view verb) {
    if (!name.starts_with(verb)) return false;
    const char next = name.size() > verb.size() ? name[verb.size()] : '_';
    return next == '_' || next == '-' || (next >= 'A' && next <= 'Z');
  });
}

// TOML: a bare key, or a quoted one.
std::string key_of(const std::string& name) {
  const bool is_bare =
      !name.empty() &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
          std::string::npos;
  return is_bare ? name : to_json(json::value(name));
}

void print_servers(const Output& to, const Offer& offer) {
  for (const json::object& server : offer.servers) {
    std::string state = is_connected(server) ? "connected, " + text_at(server, "version")
                                             : "not connected: " + text_at(server, "why");
    if (const std::string count = text_at(server, "not_accepted"); count != "0" && !count.empty()) {
      state += ", " + count + " of its tools not accepted";
    }
    fmt::print(to.out, "{}  {}\n", to.out_look.paint(Ink::kBold, visible(text_at(server, "name"))),
               visible(state));
  }
}

std::string table_of(const Output& to, const Offer& offer) {
  Table table({{"TOOL"}, {"EFFECT"}, {"APPROVAL"}, {"STATE"}, {"DESCRIPTION", true}});
  for (const json::object& tool : offer.tools) {
    const std::string why = text_at(tool, "why");
    table.add({text_at(tool, "name"), effect_of(tool), text_at(tool, "approval"),
               text_at(tool, "state"), why.empty() ? text_at(tool, "description") : why});
  }
  return table.empty() ? "there are no tools\n" : table.text(to.out_look);
}

// Servers connect by themselves, a little after the start.
Result<Offer> connected_offer(Context& context, Attention& attention) {
  const int64_t end = context.steady_ms() + kConnectMs;
  for (;;) {
    TRY_ASSIGN(Offer offer, read_offer(context.client));
    const bool is_whole =
        std::all_of(offer.servers.begin(), offer.servers.end(), [](const json::object& server) {
          return is_connected(server) || !text_at(server, "why").empty();
        });
    if (is_whole || context.steady_ms() > end || attention.is_interrupted()) return offer;
    attention.wait(kLookMs);
  }
}

// `is_ours`: of a server with this file.
Result<Offer> checked_offer(Context& context, const std::string& config, bool is_ours) {
  Attention attention;
  if (!is_ours) return connected_offer(context, attention);
  PrivateServer server(context, attention, {config, context.client.flags().data_dir});
  TRY_STATUS(server.ensure(Suits::kWithThisFile));
  Offer offer;
  TRY_STATUS(server.ask([&]() -> Status {
    TRY_ASSIGN(offer, connected_offer(context, attention));
    return {};
  }));
  return offer;
}

// What is not as it should be with one tool; empty if all is well.
std::string trouble_with(const json::object& tool) {
  const std::string state = text_at(tool, "state");
  const std::string server = text_at(tool, "server");
  if (state == "new" || state == "changed" || state == "gone") {
    const std::string what = state == "new"       ? "is new, and no agent has it"
                             : state == "changed" ? "is not what was accepted, and is not called"
                                                  : "is no longer offered";
    return fmt::format("{}: if that is right, 'perdure tools accept {}'", what, server);
  }
  if (state == "unreachable") return "cannot be reached: " + text_at(tool, "why");
  return {};
}

// A line for each thing that is not as it should be.
std::vector<std::string> troubles_of(const Offer& offer) {
  std::vector<std::string> out;
  for (const json::object& server : offer.servers) {
    if (is_connected(server)) continue;
    out.push_back(text_at(server, "name") + "  cannot be reached: " + text_at(server, "why"));
  }
  for (const json::object& tool : offer.tools) {
    const std::string trouble = trouble_with(tool);
    if (!trouble.empty()) out.push_back(text_at(tool, "name") + "  " + trouble);
  }
  return out;
}

// A list of them, or a table by them.
std::vector<std::string> names_in(const json::value& contracts) {
  std::vector<std::string> names;
  if (const json::array* list = contracts.if_array()) {
    for (const json::value& name : *list) {
      if (name.is_string()) names.emplace_back(name.get_string());
    }
  } else if (const json::object* table = contracts.if_object()) {
    for (const auto& [name, contract] : *table) names.emplace_back(name);
  }
  return names;
}

std::map<std::string, std::vector<std::string>> undeclared_of(const Offer& offer) {
  std::map<std::string, std::vector<std::string>> out;
  for (const json::object& tool : offer.tools) {
    const std::string server = text_at(tool, "server");
    if (server.empty() || text_at(tool, "state") == "gone" || !is_undeclared(tool)) continue;
    out[server].push_back(own_name(tool));
  }
  return out;
}

// Lines, so that a difference of two of them shows which.
std::string definition_text(const json::object& definition) {
  json::object rest = definition;
  rest.erase("description");
  return text_at(definition, "description") + "\n" + pretty_json(json::value(rest)) + "\n";
}

json::object as_offered(const json::object& tool) {
  return {
      {"description", text_at(tool, "description")},
      {"input_schema", tool.contains("input_schema") ? tool.at("input_schema") : json::value()}};
}

// What would be accepted with each tool of this server; of all servers if it is empty.
void print_changes(const Output& to, const Offer& offer, const std::string& server) {
  for (const json::object& tool : offer.tools) {
    if (!server.empty() && text_at(tool, "server") != server) continue;
    const std::string name = visible(text_at(tool, "name"));
    const std::string state = text_at(tool, "state");
    if (state == "gone" && !server.empty()) fmt::print(to.out, "{}  is no longer offered\n", name);
    if (state == "new") {
      fmt::print(to.out, "{}  is new:\n{}", name,
                 diff_text("", definition_text(as_offered(tool)), to.out_look));
    }
    const json::object* accepted = object_in(tool, "accepted");
    const json::object* offered = object_in(tool, "offered");
    if (accepted == nullptr || offered == nullptr) continue;
    fmt::print(to.out, "{}  is changed:\n{}", name,
               diff_text(definition_text(*accepted), definition_text(*offered), to.out_look));
  }
}

void print_tools(const Output& to, const Offer& offer) {
  if (!to.json) {
    print_servers(to, offer);
    fmt::print(to.out, "{}", table_of(to, offer));
    return;
  }
  for (const json::object& tool : offer.tools) {
    fmt::print(to.out, "{}\n", to_json(json::value(tool)));
  }
}

}  // namespace

bool is_undeclared(const json::object& tool) {
  return text_at(tool, "declared") == "false";
}

std::string contract_lines(const std::string& server, const std::vector<std::string>& tools,
                           const json::object* table) {
  const auto value_at = [&](const char* key) {
    return table != nullptr ? table->if_contains(key) : nullptr;
  };
  const json::value* read = value_at("read");
  const bool read_is_table = read != nullptr && read->is_object();
  std::string reads;
  std::string acts;
  for (const std::string& tool : tools) {
    if (!sounds_like_reading(tool)) {
      acts += (acts.empty() ? "" : ", ") + key_of(tool) + " = {irreversible = true}";
    } else {
      reads += (reads.empty() ? "" : ", ");
      reads += read_is_table ? key_of(tool) + " = {}" : to_json(json::value(tool));
    }
  }
  std::string out = fmt::format(
      "\n# Nothing is declared about {} of the tools of {}: each call asks a person, and is never\n"
      "# sent twice. Look at each, correct what is guessed here, and put it into the operator's "
      "file,\n# into the table [mcp.{}]{}\n",
      tools.size(), server, key_of(server),
      table != nullptr ? ":" : "; what stands there already is added to:");
  const char* kSure = "  # changes nothing, by its name: make sure\n";
  if (!reads.empty()) {
    out += (read != nullptr ? "# add to `read`: " + reads : "read = [" + reads + "]") + kSure;
  }
  if (!acts.empty()) {
    out +=
        value_at("once") != nullptr ? "# add to `once`: " + acts + "\n" : "once = {" + acts + "}\n";
  }
  return out;
}

std::vector<std::string> names_of_no_tool(const json::object& file,
                                          const std::vector<json::object>& tools,
                                          const std::vector<std::string>& unreached) {
  std::vector<std::string> out;
  const auto check = [&](const std::string& where, const std::string& pattern) {
    const bool is_unknown =
        std::any_of(unreached.begin(), unreached.end(),
                    [&](const std::string& server) { return pattern.starts_with(server + "."); });
    if (is_unknown) return;
    const bool is_of_one = std::any_of(tools.begin(), tools.end(), [&](const json::object& tool) {
      return matches_glob(pattern, text_at(tool, "name"));
    });
    if (!is_of_one) out.push_back(fmt::format("{}  is about no tool: '{}'", where, pattern));
  };
  const json::object* servers = object_in(file, "mcp");
  for (const auto& [server, table] : servers != nullptr ? *servers : json::object()) {
    const json::object* contracts = table.if_object();
    for (const char* effect : {"read", "repeat", "idempotent", "once"}) {
      const json::value* said = contracts != nullptr ? contracts->if_contains(effect) : nullptr;
      for (const std::string& name :
           said != nullptr ? names_in(*said) : std::vector<std::string>()) {
        check(fmt::format("mcp.{}.{}", std::string(server), effect),
              std::string(server) + "." + name);
      }
    }
  }
  const json::array* rules = array_in(file, "policy");
  for (size_t i = 0; rules != nullptr && i < rules->size(); ++i) {
    const json::object* rule = (*rules)[i].if_object();
    const std::string tool = rule != nullptr ? text_at(*rule, "tool") : "";
    if (!tool.empty() && tool != "*") check(fmt::format("policy[{}]", i), tool);
  }
  return out;
}

int list_tools(Context& context) {
  const auto offer = read_offer(context.client);
  if (!offer) return report(offer.error(), context.to);
  print_tools(context.to, *offer);
  return kDone;
}

int check_tools(Context& context, const std::string& config) {
  // The file of a server elsewhere is not here.
  const bool is_ours = context.client.flags().url.empty();
  const auto offer = checked_offer(context, config, is_ours);
  if (!offer) return report(offer.error(), context.to);
  print_tools(context.to, *offer);
  const auto file = context.program.read_toml(config);
  const json::object* document = is_ours && file ? file->if_object() : nullptr;
  const json::object* servers = document != nullptr ? object_in(*document, "mcp") : nullptr;
  std::vector<std::string> troubles = troubles_of(*offer);
  if (document != nullptr) {
    std::vector<std::string> unreached;
    for (const json::object& server : offer->servers) {
      if (!is_connected(server)) unreached.push_back(text_at(server, "name"));
    }
    for (std::string& line : names_of_no_tool(*document, offer->tools, unreached)) {
      troubles.push_back(std::move(line));
    }
  }
  const auto undeclared = undeclared_of(*offer);
  for (const std::string& trouble : troubles) {
    if (!context.to.json) fmt::print(context.to.out, "{}\n", visible(trouble));
  }
  if (!context.to.json) print_changes(context.to, *offer, "");
  for (const auto& [server, tools] : undeclared) {
    if (context.to.json) continue;
    const json::object* table = servers != nullptr ? object_in(*servers, server) : nullptr;
    fmt::print(context.to.out, "{}", visible_lines(contract_lines(server, tools, table)));
  }
  return troubles.empty() && undeclared.empty() ? kDone : kProblems;
}

int accept_tools(Context& context, const std::string& server) {
  const Output& to = context.to;
  const auto offer = read_offer(context.client);
  if (!offer) return report(offer.error(), to);
  const auto found =
      std::find_if(offer->servers.begin(), offer->servers.end(),
                   [&](const json::object& one) { return text_at(one, "name") == server; });
  if (!to.json) print_changes(to, *offer, server);
  json::object body;
  if (found != offer->servers.end()) body["offered_sha256"] = text_at(*found, "offered_sha256");
  if (body.empty() || body.at("offered_sha256") == "") body.clear();
  const auto answer = context.client.post("/v1/tools/" + percent_encode(server) + "/accept",
                                          json::value(body), "tools");
  if (!answer) return report(answer.error(), to);
  if (to.json) {
    fmt::print(to.out, "{}\n", answer->text);
    return kDone;
  }
  const json::array* tools = array_in(answer->object(), "tools");
  for (size_t i = 0; tools != nullptr && i < tools->size(); ++i) {
    fmt::print(to.out, "accepted  {}\n",
               visible((*tools)[i].is_string() ? std::string((*tools)[i].get_string())
                                               : to_json((*tools)[i])));
  }
  if (tools == nullptr || tools->empty()) fmt::print(to.out, "all was accepted before\n");
  return kDone;
}

}  // namespace perdure::cli
