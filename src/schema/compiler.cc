#include "schema/compiler.h"

#include <fmt/core.h>

#include <utility>

#include "base/text.h"

namespace perdure::schema {
namespace {

constexpr size_t kNodesMax = 20'000;
constexpr size_t kNamesForMessages = 200;

}  // namespace

Status Compiler::run(const json::value& document) {
  TRY_ASSIGN(const ResourceId root, registry_.add(document, ""));
  const Registry::Resource& first = registry_.resources()[root];
  node(*first.root, root, "");
  resolve_references();
  refuse_endless_references();
  if (error_) return tl::unexpected(*error_);
  return {};
}

void Compiler::refuse(const std::string& place, std::string_view what, Code code) {
  if (!error_) error_ = Error{code, fmt::format("{}: {}", place.empty() ? "/" : place, what)};
}

NodeId Compiler::node(const json::value& schema, ResourceId parent, const std::string& place) {
  if (error_) return kNoNode;
  if (const auto known = known_.find(&schema); known != known_.end()) return known->second;
  if (program_.nodes.size() >= kNodesMax) {
    refuse(place, fmt::format("the schema has more than {} subschemas", kNodesMax),
           Code::kTooLarge);
    return kNoNode;
  }
  const auto id = static_cast<NodeId>(program_.nodes.size());
  program_.nodes.emplace_back();
  known_[&schema] = id;
  Node out;
  out.resource = registry_.resource_of(schema, parent);
  if (schema.is_bool()) {
    out.constant = schema.get_bool();
  } else if (const auto* object = schema.if_object()) {
    const Context in{*object, out.resource, place};
    if (registry_.resources()[out.resource].validation) {
      types(in, out);
      values(in, out);
      numbers(in, out);
      strings(in, out);
      array_counts(in, out);
      object_counts(in, out);
    }
    array_children(in, out);
    object_children(in, out);
    in_place(in, out);
    dependencies(in, out);
    references(in, id);
  } else {
    refuse(place, "a schema is an object, true or false");
  }
  program_.nodes[id] = std::move(out);
  return id;
}

const json::value* Compiler::value(const Context& in, std::string_view keyword) const {
  return in.object.if_contains(keyword);
}

NodeId Compiler::child(const Context& in, std::string_view keyword) {
  const json::value* held = value(in, keyword);
  return held == nullptr ? kNoNode : node(*held, in.resource, below(in.place, keyword));
}

std::vector<NodeId> Compiler::children(const Context& in, std::string_view keyword) {
  std::vector<NodeId> out;
  const json::value* held = value(in, keyword);
  if (held == nullptr) return out;
  const std::string place = below(in.place, keyword);
  if (!held->is_array()) {
    refuse(place, "expected an array of schemas");
    return out;
  }
  size_t index = 0;
  for (const json::value& item : held->get_array()) {
    out.push_back(node(item, in.resource, fmt::format("{}/{}", place, index++)));
  }
  return out;
}

void Compiler::array_children(const Context& in, Node& out) {
  const json::value* items = value(in, "items");
  const bool tuple = items != nullptr && items->is_array();  // of an older draft
  if (tuple || value(in, "prefixItems") != nullptr) {
    Node::in(out.arrays).prefix = children(in, tuple ? "items" : "prefixItems");
  }
  const NodeId rest = child(in, tuple ? "additionalItems" : "items");
  if (rest != kNoNode) Node::in(out.arrays).items = rest;
  const NodeId contains = child(in, "contains");
  if (contains != kNoNode) Node::in(out.arrays).contains = contains;
  out.unevaluated_items = child(in, "unevaluatedItems");
}

void Compiler::object_children(const Context& in, Node& out) {
  if (const json::value* held = value(in, "properties")) {
    const std::string place = below(in.place, "properties");
    if (!held->is_object()) return refuse(place, "expected an object of schemas");
    ObjectRules& rules = Node::in(out.objects);
    for (const auto& [name, schema] : held->get_object()) {
      if (rules.names.size() < kNamesForMessages) rules.names.emplace_back(beginning(name, 64));
      rules.properties.emplace(name, node(schema, in.resource, below(place, name)));
    }
  }
  if (const json::value* held = value(in, "patternProperties")) {
    const std::string place = below(in.place, "patternProperties");
    if (!held->is_object()) return refuse(place, "expected an object of schemas");
    for (const auto& [name, schema] : held->get_object()) {
      auto compiled = pattern(name, below(place, name));
      if (!compiled) return;
      const NodeId id = node(schema, in.resource, below(place, name));
      Node::in(out.objects).patterns.emplace_back(*std::move(compiled), id);
    }
  }
  if (const NodeId id = child(in, "additionalProperties"); id != kNoNode) {
    Node::in(out.objects).additional = id;
  }
  if (const NodeId id = child(in, "propertyNames"); id != kNoNode) {
    Node::in(out.objects).property_names = id;
  }
  out.unevaluated_properties = child(in, "unevaluatedProperties");
}

void Compiler::in_place(const Context& in, Node& out) {
  InPlace rules;
  rules.all_of = children(in, "allOf");
  rules.any_of = children(in, "anyOf");
  rules.one_of = children(in, "oneOf");
  rules.not_ = child(in, "not");
  rules.if_ = child(in, "if");
  if (rules.if_ != kNoNode) {
    rules.then_ = child(in, "then");
    rules.else_ = child(in, "else");
  }
  const bool any = !rules.all_of.empty() || !rules.any_of.empty() || !rules.one_of.empty() ||
                   rules.not_ != kNoNode || rules.if_ != kNoNode;
  if (any) Node::in(out.in_place) = std::move(rules);
  for (const std::string_view keyword : {"anyOf", "oneOf"}) {
    const json::value* held = value(in, keyword);
    if (held != nullptr && held->is_array() && held->get_array().empty()) {
      refuse(below(in.place, keyword), "no value can satisfy an empty list");
    }
  }
}

void Compiler::dependencies(const Context& in, Node& out) {
  const auto require = [&](std::string_view keyword, std::string_view name,
                           const json::value& names) {
    auto needed = words(names, below(below(in.place, keyword), name));
    Node::in(out.objects).dependent_required[std::string(name)] = std::move(needed);
  };
  const bool validates = registry_.resources()[in.resource].validation;
  for (const std::string_view keyword : {"dependentSchemas", "dependentRequired", "dependencies"}) {
    const json::value* held = value(in, keyword);
    if (held == nullptr) continue;
    if (!held->is_object()) return refuse(below(in.place, keyword), "expected an object");
    for (const auto& [name, needed] : held->get_object()) {
      const bool is_list =
          keyword == "dependentRequired" || (keyword == "dependencies" && needed.is_array());
      if (is_list) {
        if (validates) require(keyword, name, needed);
        continue;
      }
      const NodeId id = node(needed, in.resource, below(below(in.place, keyword), name));
      Node::in(out.in_place).dependent_schemas[std::string(name)] = id;
    }
  }
}

void Compiler::references(const Context& in, NodeId id) {
  for (const std::string_view keyword : {"$ref", "$dynamicRef"}) {
    const json::value* held = value(in, keyword);
    if (held == nullptr) continue;
    const std::string place = below(in.place, keyword);
    if (!held->is_string()) return refuse(place, "expected a reference, which is a string");
    pending_.push_back(
        {id, in.resource, std::string(held->get_string()), place, keyword == "$dynamicRef"});
  }
}

// What a reference names may hold references again.
void Compiler::resolve_references() {
  while (!error_) {
    if (pending_.empty()) {
      compile_dynamic_anchors();
      if (pending_.empty()) return;
    }
    const Pending next = std::move(pending_.front());
    pending_.pop_front();
    auto target = registry_.find(next.resource, next.reference);
    if (!target) {
      // A mistake inside another document names its own place.
      return refuse(next.place,
                    fmt::format("'{}': {}", beginning(next.reference, 200), target.error().message),
                    target.error().code);
    }
    const NodeId id = node(*target->schema, target->resource, target->place);
    InPlace& rules = Node::in(program_.nodes[next.node].in_place);
    if (next.dynamic) {
      rules.dynamic_ref = id;
      rules.dynamic_anchor = target->dynamic_anchor;
    } else {
      rules.ref = id;
    }
    referring_[next.node] = next.place;
  }
}

// A dynamic reference may find them, although nothing names them.
void Compiler::compile_dynamic_anchors() {
  const auto& resources = registry_.resources();
  program_.resources.resize(resources.size());
  for (ResourceId i = 0; i < resources.size(); ++i) {
    const Registry::Resource& resource = resources[i];
    for (const std::string& name : resource.dynamic) {
      program_.resources[i].dynamic[name] =
          node(*resource.anchors.find(name)->second, i, resource.place + "#" + name);
    }
  }
}

// A schema that must be applied to the same value in order to apply itself has no meaning.
void Compiler::refuse_endless_references() {
  if (error_) return;
  enum class Mark : uint8_t { kNew, kOpen, kDone };
  const std::vector<Node>& nodes = program_.nodes;
  std::vector<Mark> marks(nodes.size(), Mark::kNew);
  const auto next_of = [&](NodeId id) {
    std::vector<NodeId> next;
    const InPlace* rules = nodes[id].in_place.get();
    if (rules == nullptr) return next;
    for (const auto* list : {&rules->all_of, &rules->any_of, &rules->one_of}) {
      next.insert(next.end(), list->begin(), list->end());
    }
    for (const NodeId one : {rules->not_, rules->if_, rules->ref}) {
      if (one != kNoNode) next.push_back(one);
    }
    if (rules->dynamic_ref != kNoNode && rules->dynamic_anchor.empty()) {
      next.push_back(rules->dynamic_ref);
    }
    return next;
  };
  for (NodeId start = 0; start < nodes.size(); ++start) {
    if (marks[start] != Mark::kNew) continue;
    std::vector<std::pair<NodeId, std::vector<NodeId>>> path;
    marks[start] = Mark::kOpen;
    path.emplace_back(start, next_of(start));
    while (!path.empty()) {
      auto& [id, left] = path.back();
      if (left.empty()) {
        marks[id] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const NodeId to = left.back();
      left.pop_back();
      if (marks[to] == Mark::kOpen) {
        const auto found = referring_.find(id);
        return refuse(found == referring_.end() ? "" : found->second,
                      "the schema refers to itself for the same value, without end");
      }
      if (marks[to] == Mark::kDone) continue;
      marks[to] = Mark::kOpen;
      path.emplace_back(to, next_of(to));
    }
  }
}

}  // namespace perdure::schema
