#include "server/people_config.h"

#include <fmt/core.h>

#include <algorithm>

#include "journal/read_term.h"
#include "server/tool_terms.h"

namespace perdure::server {
namespace {

constexpr size_t kTextMaxBytes = 4096;

// "ann", "group:ops": names that mean something to whoever is asked.
void read_names(ObjectReader& in, std::string_view name, std::vector<std::string>& out) {
  const json::array* items = in.array(name);
  if (items == nullptr) return;
  out.clear();
  for (const json::value& item : *items) {
    const bool fits =
        item.is_string() && !item.get_string().empty() && item.get_string().size() <= kNameMaxBytes;
    if (!fits)
      return in.fail_at(name, fmt::format("expected names of 1 to {} bytes", kNameMaxBytes));
    out.emplace_back(item.get_string());
  }
  if (out.size() > kAssigneesMax) in.fail_at(name, fmt::format("at most {} names", kAssigneesMax));
}

std::optional<int64_t> duration_of(const json::value& value) {
  if (value.is_string()) return parse_duration_ms(value.get_string());
  if (value.is_int64() && value.get_int64() <= INT64_MAX / 1000) return value.get_int64() * 1000;
  return std::nullopt;
}

void read_reminders(ObjectReader& in, Asking& asking) {
  const json::array* items = in.array("remind");
  if (items == nullptr) return;
  asking.remind_ms.clear();
  for (const json::value& item : *items) {
    const auto after_ms = duration_of(item);
    const int64_t last_ms = asking.remind_ms.empty() ? 0 : asking.remind_ms.back();
    if (!after_ms || *after_ms <= last_ms) {
      return in.fail_at("remind",
                        "expected times since the question, each later than the one "
                        "before: [\"24h\", \"48h\"]");
    }
    asking.remind_ms.push_back(*after_ms);
  }
  if (asking.remind_ms.size() > kRemindersMax) {
    in.fail_at("remind", fmt::format("at most {} reminders", kRemindersMax));
  }
}

Status read_escalation(const json::value& table, const std::string& where, Asking& asking) {
  ObjectReader in(table, where);
  asking.escalate_ms = in.duration_ms("after", 0);
  if (asking.escalate_ms <= 0) in.fail_at("after", "is missing: how long after the question?");
  asking.escalate_to.clear();
  read_names(in, "to", asking.escalate_to);
  if (asking.escalate_to.empty()) in.fail_at("to", "is missing: who is asked then?");
  return in.finish();
}

void check(ObjectReader& in, const Asking& asking) {
  if (asking.on_expire == OnExpire::kRespond && asking.respond_with.empty()) {
    in.fail_at("respond_with", "is missing: the answer that stands when nobody gives one");
  }
  if (in.has("respond_with") && asking.on_expire != OnExpire::kRespond) {
    in.fail_at("respond_with", "only with on_expire = \"respond\"");
  }
  if (in.has("on_expire") && asking.expires_ms == 0) {
    in.fail_at("on_expire", "a question that does not expire has none: set expires");
  }
  if (asking.expires_ms == 0) return;
  const bool late = (!asking.remind_ms.empty() && asking.remind_ms.back() >= asking.expires_ms) ||
                    asking.escalate_ms >= asking.expires_ms;
  if (late) in.fail_at("expires", "reminders and the escalation come before it");
}

}  // namespace

Result<Asking> read_asking(const json::value& table, const std::string& where, const Asking& base) {
  ObjectReader in(table, where);
  Asking asking = base;
  read_names(in, "assignees", asking.assignees);
  asking.expires_ms = in.duration_ms("expires", asking.expires_ms);
  if (in.has("on_expire")) {
    asking.on_expire =
        read_term<OnExpire::kReject, OnExpire::kApprove, OnExpire::kRespond, OnExpire::kFail>(
            in, "on_expire", OnExpire::kReject);
    if (asking.on_expire != OnExpire::kRespond) asking.respond_with.clear();
  }
  asking.respond_with = in.string("respond_with", asking.respond_with);
  if (asking.respond_with.size() > kTextMaxBytes) {
    in.fail_at("respond_with", fmt::format("longer than {} bytes", kTextMaxBytes));
  }
  read_reminders(in, asking);
  const json::value* escalate = in.value("escalate");
  if (escalate != nullptr) TRY_STATUS(read_escalation(*escalate, where + ".escalate", asking));
  check(in, asking);
  TRY_STATUS(in.finish());
  return asking;
}

Result<Asking> read_asking_of_tool(const json::value& table, const std::string& where,
                                   const Asking& base, EffectClass effect) {
  Asking inherited = base;
  const bool acts_once = !may_be_resent(effect);
  if (acts_once && base.on_expire == OnExpire::kApprove) inherited.on_expire = OnExpire::kReject;
  return read_asking(table, where, inherited);
}

Status read_people_of_server(PeopleRules& people, const std::string& server,
                             const json::object& table) {
  const std::string where = "mcp." + server + ".";
  Asking base = people.common;
  if (const json::value* said = table.if_contains("people")) {
    TRY_ASSIGN(base, read_asking(*said, where + "people", people.common));
    people.of_tool[server + ".*"] = base;
  }
  for (const EffectClass effect : kEffectClasses) {
    const std::string key(to_string(effect));
    const json::value* contracts = table.if_contains(key);
    if (contracts == nullptr || !contracts->is_object()) continue;
    for (const auto& [tool, contract] : contracts->get_object()) {
      const json::value* said = contract.get_object().if_contains("people");
      if (said == nullptr) continue;
      const std::string name(tool);
      TRY_ASSIGN(people.of_tool[server + "." + name],
                 read_asking_of_tool(*said, where + key + "." + name + ".people", base, effect));
    }
  }
  return {};
}

}  // namespace perdure::server
