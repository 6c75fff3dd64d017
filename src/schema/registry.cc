#include "schema/registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/json_fields.h"
#include "base/percent.h"
#include "base/text.h"
#include "schema/uri.h"

namespace perdure::schema {
namespace {

constexpr size_t kDepthMax = 100;
constexpr size_t kValuesMax = 200'000;
constexpr size_t kResourcesMax = 1000;

constexpr std::string_view kVocabularies = "https://json-schema.org/draft/2020-12/vocab/";

enum class Holds : uint8_t { kSchema, kList, kMap };
// The keywords that hold schemas. `items` and `dependencies` may hold something else as well.
constexpr std::pair<std::string_view, Holds> kHolders[] = {
    {"$defs", Holds::kMap},
    {"definitions", Holds::kMap},
    {"properties", Holds::kMap},
    {"patternProperties", Holds::kMap},
    {"dependentSchemas", Holds::kMap},
    {"dependencies", Holds::kMap},
    {"allOf", Holds::kList},
    {"anyOf", Holds::kList},
    {"oneOf", Holds::kList},
    {"prefixItems", Holds::kList},
    {"items", Holds::kList},
    {"items", Holds::kSchema},
    {"additionalItems", Holds::kSchema},
    {"contains", Holds::kSchema},
    {"additionalProperties", Holds::kSchema},
    {"propertyNames", Holds::kSchema},
    {"not", Holds::kSchema},
    {"if", Holds::kSchema},
    {"then", Holds::kSchema},
    {"else", Holds::kSchema},
    {"unevaluatedItems", Holds::kSchema},
    {"unevaluatedProperties", Holds::kSchema},
};

Status measure(const json::value& document) {
  std::vector<std::pair<const json::value*, size_t>> open{{&document, 0}};
  size_t values = 0;
  while (!open.empty()) {
    const auto [value, depth] = open.back();
    open.pop_back();
    if (depth > kDepthMax) {
      return fail(Code::kTooLarge,
                  fmt::format("the schema is nested more than {} levels deep", kDepthMax));
    }
    if (++values > kValuesMax) {
      return fail(Code::kTooLarge, fmt::format("the schema has more than {} values", kValuesMax));
    }
    if (const auto* object = value->if_object()) {
      for (const auto& member : *object) open.emplace_back(&member.value(), depth + 1);
    } else if (const auto* array = value->if_array()) {
      for (const auto& item : *array) open.emplace_back(&item, depth + 1);
    }
  }
  return {};
}

}  // namespace

std::string below(const std::string& place, std::string_view token) {
  std::string out = place + '/';
  for (const char c : beginning(token, 64)) {
    if (c == '~' || c == '/') {
      out += c == '~' ? "~0" : "~1";
    } else {
      out += c;
    }
  }
  return out;
}

Result<ResourceId> Registry::add(const json::value& document, const std::string& uri) {
  TRY_STATUS(measure(document));
  program_.documents.push_back(std::make_unique<json::value>(document));
  const json::value& kept = *program_.documents.back();
  TRY_ASSIGN(const ResourceId resource, begin_resource(kept, uri, 0, ""));
  TRY_STATUS(scan(kept, resource, ""));
  return resource_of(kept, resource);
}

Result<ResourceId> Registry::begin_resource(const json::value& root, const std::string& uri,
                                            ResourceId parent, const std::string& place) {
  const auto id = static_cast<ResourceId>(resources_.size());
  if (id >= kResourcesMax) {
    return fail(Code::kTooLarge, fmt::format("the schema has more than {} $ids", kResourcesMax));
  }
  if (const auto [known, is_new] = by_uri_.emplace(uri, id); !is_new) {
    return fail(Code::kInvalid,
                fmt::format("{}/$id: '{}' is the $id of two schemas", place, beginning(uri, 200)));
  }
  Resource resource;
  resource.uri = uri;
  resource.root = &root;
  resource.place = place;
  if (id > 0 && !place.empty()) resource.validation = resources_[parent].validation;
  if (const auto* object = root.if_object()) TRY_STATUS(read_vocabulary(*object, resource));
  resources_.push_back(std::move(resource));
  by_root_[&root] = id;
  return id;
}

Status Registry::read_vocabulary(const json::object& root, Resource& resource) {
  const std::string dialect(split_fragment(text_in(root, "$schema")).document);
  const json::value* meta = dialect.empty() ? nullptr : source(dialect);
  const json::object* object = meta == nullptr ? nullptr : meta->if_object();
  const json::value* listed = object == nullptr ? nullptr : object->if_contains("$vocabulary");
  if (listed == nullptr || !listed->is_object()) return {};
  resource.validation = false;
  for (const auto& [uri, required] : listed->get_object()) {
    const std::string_view name = uri;
    const bool known =
        name.starts_with(kVocabularies) && name.substr(kVocabularies.size()) != "format-assertion";
    if (!known && required.is_bool() && required.get_bool()) {
      return fail(Code::kUnsupported, fmt::format("{}/$schema: needs the vocabulary '{}', which is "
                                                  "not known here",
                                                  resource.place, beginning(name, 200)));
    }
    if (known && name.substr(kVocabularies.size()) == "validation") resource.validation = true;
  }
  return {};
}

Status Registry::scan(const json::value& value, ResourceId resource, const std::string& place) {
  const json::object* object = value.if_object();
  if (object == nullptr) return {};
  if (const std::string id(text_in(*object, "$id")); !id.empty()) {
    const SplitUri parts = split_fragment(id);
    if (!parts.document.empty()) {
      const std::string uri(
          split_fragment(resolve_uri(resources_[resource].uri, parts.document)).document);
      const bool at_root = resources_[resource].root == &value;
      if (at_root) {
        // It may also be asked for by the name that it was supplied under.
        by_uri_.emplace(uri, resource);
        resources_[resource].uri = uri;
      } else {
        TRY_ASSIGN(resource, begin_resource(value, uri, resource, place));
      }
    }
    // An older draft's way to set an anchor.
    if (!parts.fragment.empty()) {
      resources_[resource].anchors.emplace(std::string(parts.fragment), &value);
    }
  }
  TRY_STATUS(add_anchor(*object, "$anchor", value, resource, place));
  TRY_STATUS(add_anchor(*object, "$dynamicAnchor", value, resource, place));
  return scan_children(*object, resource, place);
}

Status Registry::add_anchor(const json::object& object, std::string_view keyword,
                            const json::value& at, ResourceId resource, const std::string& place) {
  const std::string name(text_in(object, keyword));
  if (name.empty()) return {};
  Resource& owner = resources_[resource];
  const auto [known, is_new] = owner.anchors.emplace(name, &at);
  if (!is_new && known->second != &at) {
    return fail(Code::kInvalid, fmt::format("{}/{}: there are two anchors '{}'", place, keyword,
                                            beginning(name, 200)));
  }
  if (keyword == "$dynamicAnchor") owner.dynamic.insert(name);
  return {};
}

Status Registry::scan_children(const json::object& object, ResourceId resource,
                               const std::string& place) {
  for (const auto& [keyword, holds] : kHolders) {
    const json::value* held = object.if_contains(keyword);
    if (held == nullptr) continue;
    const std::string at = below(place, keyword);
    if (holds == Holds::kSchema && held->is_object()) TRY_STATUS(scan(*held, resource, at));
    if (holds == Holds::kList && held->is_array()) {
      const json::array& items = held->get_array();
      for (size_t i = 0; i < items.size(); ++i) {
        TRY_STATUS(scan(items[i], resource, fmt::format("{}/{}", at, i)));
      }
    }
    if (holds == Holds::kMap && held->is_object()) {
      for (const auto& [name, child] : held->get_object()) {
        TRY_STATUS(scan(child, resource, below(at, name)));
      }
    }
  }
  return {};
}

const json::value* Registry::source(const std::string& uri) const {
  const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const SchemaSource& each) {
    return split_fragment(each.uri).document == uri;
  });
  return found == sources_.end() ? nullptr : found->document;
}

Result<ResourceId> Registry::document(const std::string& uri) {
  if (const auto known = by_uri_.find(uri); known != by_uri_.end()) return known->second;
  const json::value* found = source(uri);
  if (found == nullptr) {
    return fail(Code::kInvalid, fmt::format("there is no schema '{}' here, and none is fetched",
                                            beginning(uri, 200)));
  }
  return add(*found, uri);
}

ResourceId Registry::resource_of(const json::value& value, ResourceId parent) const {
  const auto found = by_root_.find(&value);
  return found == by_root_.end() ? parent : found->second;
}

Result<Registry::Target> Registry::find(ResourceId from, const std::string& reference) {
  const std::string uri = resolve_uri(resources_[from].uri, reference);
  const SplitUri parts = split_fragment(uri);
  TRY_ASSIGN(const ResourceId resource, document(std::string(parts.document)));
  const std::string written(parts.fragment);
  // One that is not encoded right, or is no UTF-8 then, is meant as it is written.
  const std::string fragment = percent_decode(written).value_or(written);
  if (fragment.empty() || fragment[0] == '/') return find_pointer_in(resource, fragment);
  const Resource& owner = resources_[resource];
  const auto anchor = owner.anchors.find(fragment);
  if (anchor == owner.anchors.end()) {
    return fail(Code::kInvalid, fmt::format("there is no anchor '{}'", beginning(fragment, 200)));
  }
  Target target{anchor->second, resource, owner.place + "#" + fragment, ""};
  if (owner.dynamic.contains(fragment)) target.dynamic_anchor = fragment;
  return target;
}

Result<Registry::Target> Registry::find_pointer_in(ResourceId resource,
                                                   const std::string& pointer) const {
  const Resource& owner = resources_[resource];
  const json::value* at = owner.root;
  ResourceId within = resource;
  size_t begin = 0;
  while (at != nullptr && begin < pointer.size()) {
    const size_t end = std::min(pointer.find('/', begin + 1), pointer.size());
    const auto next = find_pointer(*at, std::string_view(pointer).substr(begin, end - begin));
    at = next ? *next : nullptr;
    if (at != nullptr) within = resource_of(*at, within);
    begin = end;
  }
  if (at == nullptr) {
    return fail(Code::kInvalid, fmt::format("there is nothing at '#{}'", beginning(pointer, 200)));
  }
  return Target{at, within, owner.place + pointer, ""};
}

}  // namespace perdure::schema
