// GET and POST /v1/keys, DELETE /v1/keys/{id}
#include <fmt/core.h>

#include "api/problem.h"
#include "api/routes.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "base/text.h"

namespace perdure::api {
namespace {

json::object key_json(const Key& key) {
  const Credential& credential = *key.credential;
  json::array scopes;
  for (const std::string_view name : names_of(credential.scopes)) scopes.emplace_back(name);
  json::object out{{"id", key.id},
                   {"name", credential.principal},
                   {"tenant", credential.tenant},
                   {"scopes", std::move(scopes)},
                   {"created_at", to_rfc3339(key.created_ms)},
                   {"created_by", key.created_by},
                   {"expires_at", nullptr}};
  if (credential.expires_ms != 0) out["expires_at"] = to_rfc3339(credential.expires_ms);
  return out;
}

// Whose keys this credential may see; empty: everybody's.
std::string tenant_seen(const Call& call) {
  return call.who->every_tenant ? std::string() : call.tenant();
}

void read_scopes(ObjectReader& in, Credential& credential) {
  const json::array* scopes = in.array("scopes");
  if (scopes == nullptr || scopes->empty()) {
    return in.fail_at("scopes", fmt::format("is missing: some of {}", all_scope_names()));
  }
  for (const json::value& name : *scopes) {
    const Scopes scope = name.is_string() ? scope_of(std::string_view(name.get_string())) : kNone;
    if (scope == kNone) {
      return in.fail_at("scopes", fmt::format("expected some of {}", all_scope_names()));
    }
    credential.scopes |= scope;
  }
}

OrResponse<Credential> read_key(Context& context, const Call& call, const json::value& body) {
  ObjectReader in(body, "body");
  Credential credential;
  credential.principal = in.string("name");
  credential.tenant = in.string("tenant", call.tenant());
  read_scopes(in, credential);
  const std::string expires = in.string("expires_at", "");
  if (credential.principal.empty() || credential.principal.size() > kNameMaxBytes) {
    in.fail_at("name", fmt::format("expected 1 to {} bytes", kNameMaxBytes));
  }
  if (credential.tenant.empty() || credential.tenant.size() > kNameMaxBytes) {
    in.fail_at("tenant", fmt::format("expected 1 to {} bytes", kNameMaxBytes));
  }
  if (in.has("expires_at")) {
    const auto at_ms = parse_rfc3339(expires);
    if (!at_ms) {
      in.fail_at("expires_at", "expected a time in UTC, such as 2027-01-31T12:00:00Z");
    } else if (*at_ms <= context.parts.clock.unix_ms()) {
      in.fail_at("expires_at", "is past");
    } else {
      credential.expires_ms = *at_ms;
    }
  }
  if (const Status read = in.finish(); !read) return tl::unexpected(problem(read.error()));
  if (!call.who->every_tenant && credential.tenant != call.tenant()) {
    return tl::unexpected(problem(403, "foreign_tenant",
                                  "body.tenant: only the token of the data directory makes keys "
                                  "for other tenants"));
  }
  return credential;
}

}  // namespace

Response list_keys(Context& context, const Call& call) {
  QueryReader query(call.query());
  const std::string after = query.text("cursor").value_or("");
  const uint64_t limit = query.page_limit();
  ANSWER_STATUS(query.finish());
  const std::vector<Key> keys = context.access.keys().list(tenant_seen(call), after, limit + 1);
  json::array out;
  for (size_t i = 0; i < keys.size() && i < limit; ++i) out.push_back(key_json(keys[i]));
  const json::value next = keys.size() > limit ? json::value(keys[limit - 1].id) : json::value();
  return json_response(200,
                       json_text(json::object{{"keys", std::move(out)}, {"next_cursor", next}}));
}

// The secret is in this answer and nowhere else; it is good when the hash is durable.
void create_key(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  if (auto full = no_room(context)) return refuse(std::move(*full));
  auto body = body_of(context, call);
  if (!body) return refuse(std::move(body.error()));
  auto credential = read_key(context, call, *body);
  if (!credential) return refuse(std::move(credential.error()));
  const std::string token = new_token(context.parts.rng);
  credential->token_hash = sha256(token);
  if (context.access.is_configured(*credential)) {
    return refuse(problem(409, "conflict",
                          "body.name: the operator's configuration has a token of that name"));
  }
  const int64_t now_ms = context.parts.clock.unix_ms();
  Key key{new_key_id(now_ms, context.parts.rng),
          std::make_shared<const Credential>(std::move(*credential)), now_ms, call.who->principal};
  if (const Status free = context.access.keys().reserve(key); !free) {
    return refuse(problem(free.error()));
  }
  std::vector<KeptRow> rows{row_of(key)};
  context.parts.engine.keep(
      std::move(rows), [&context, key = std::move(key), token,
                        responder = call.responder](const Result<engine::Submitted>& kept) {
        if (!kept) {
          context.access.keys().release(key);
          return responder->respond(problem(kept.error()));
        }
        context.access.keys().add(key);
        log(LogLevel::kInfo, "key.made",
            {{"id", key.id}, {"name", key.credential->principal}, {"by", key.created_by}});
        json::object out = key_json(key);
        out["key"] = token;
        Response response = json_response(201, json_text(out));
        for (auto& [name, value] : response.headers) {
          if (name == "cache-control") value = "no-store";
        }
        responder->respond(std::move(response));
      });
}

void delete_key(Context& context, Call call) {
  const std::string id(call.segment(2));
  const auto found = context.access.keys().find_id(id);
  if (!found || (!call.who->every_tenant && found->credential->tenant != call.tenant())) {
    return call.responder->respond(problem(404, "not_found", "there is no such key"));
  }
  std::vector<KeptRow> rows{removal_of(*found)};
  context.parts.engine.keep(
      std::move(rows), [&context, key = *found, by = call.who->principal,
                        responder = call.responder](const Result<engine::Submitted>& removed) {
        if (!removed) return responder->respond(problem(removed.error()));
        context.access.keys().remove(key);
        log(LogLevel::kInfo, "key.removed",
            {{"id", key.id}, {"name", key.credential->principal}, {"by", by}});
        Response response;
        response.status = 204;
        responder->respond(std::move(response));
      });
}

}  // namespace perdure::api
