#include "cli/keys.h"

#include <fmt/core.h>

#include "base/percent.h"
#include "base/text.h"
#include "cli/moments.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

std::string joined(const json::object& key, std::string_view name) {
  std::string out;
  const json::array* words = array_in(key, name);
  for (size_t i = 0; words != nullptr && i < words->size(); ++i) {
    const json::value& word = (*words)[i];
    out += (i > 0 ? "," : "") + (word.is_string() ? std::string(word.get_string()) : to_json(word));
  }
  return out;
}

}  // namespace

int create_key(Context& context, const KeyFlags& flags) {
  const Output& to = context.to;
  json::array scopes;
  for (const std::string& scope : flags.scopes) scopes.emplace_back(scope);
  json::object body{{"name", flags.name}, {"scopes", std::move(scopes)}};
  if (!flags.tenant.empty()) body["tenant"] = flags.tenant;
  if (!flags.expires.empty()) {
    const auto span = parse_duration_ms(flags.expires);
    body["expires_at"] = span ? to_rfc3339(context.now_ms() + *span) : flags.expires;
  }
  const auto answer = context.client.post("/v1/keys", body, "key");
  if (!answer) return report(answer.error(), to);
  if (to.json) {
    fmt::print(to.out, "{}\n", answer->text);
    return kDone;
  }
  const json::object& key = answer->object();
  fmt::print(to.out, "{}\n", visible(text_at(key, "key")));
  fmt::print(to.err, "{} of '{}'; it is shown only now. 'perdure keys delete {}' ends it.\n",
             visible(text_at(key, "id")), visible(text_at(key, "name")),
             visible(text_at(key, "id")));
  return kDone;
}

int list_keys(Context& context) {
  const Output& to = context.to;
  Table table({{"KEY"}, {"NAME", true}, {"SCOPES", true}, {"TENANT"}, {"CREATED"}, {"EXPIRES"}});
  std::string cursor;
  do {
    const auto answer = context.client.get(
        "/v1/keys?limit=200" + (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)), "keys");
    if (!answer) return report(answer.error(), to);
    const json::array* keys = array_in(answer->object(), "keys");
    for (size_t i = 0; keys != nullptr && i < keys->size(); ++i) {
      const json::object* key = (*keys)[i].if_object();
      if (key == nullptr) continue;
      if (to.json) fmt::print(to.out, "{}\n", to_json((*keys)[i]));
      const std::string expires = text_at(*key, "expires_at");
      table.add({text_at(*key, "id"), text_at(*key, "name"), joined(*key, "scopes"),
                 text_at(*key, "tenant"),
                 relative_text(text_at(*key, "created_at"), context.now_ms()),
                 expires.empty() ? "never" : relative_text(expires, context.now_ms())});
    }
    cursor = text_at(answer->object(), "next_cursor");
  } while (!cursor.empty());
  if (to.json) return kDone;
  fmt::print(to.out, "{}", table.empty() ? "there are no keys\n" : table.text(to.out_look));
  return kDone;
}

int delete_key(Context& context, const std::string& id) {
  const auto answer = context.client.del("/v1/keys/" + percent_encode(id));
  if (!answer) return report(answer.error(), context.to);
  if (!context.to.json) fmt::print(context.to.out, "{} is no longer taken\n", visible(id));
  return kDone;
}

}  // namespace perdure::cli
