#pragma once
// A compiled schema: one node a subschema, rules grouped by the kind of value they speak of.
// References are resolved to nodes; values of `const` and `enum` stay in the documents.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "schema/pattern.h"

namespace perdure::schema {

using NodeId = uint32_t;
using ResourceId = uint32_t;
inline constexpr NodeId kNoNode = UINT32_MAX;

// Bits of NumberRules' neighbour `types`. A whole number is of both number types.
enum Type : uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kNumber = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
};

struct NumberRules {
  const json::value* minimum = nullptr;
  const json::value* maximum = nullptr;
  const json::value* above = nullptr;  // exclusiveMinimum
  const json::value* below = nullptr;  // exclusiveMaximum
  const json::value* multiple_of = nullptr;
};

struct StringRules {
  uint64_t min_length = 0;
  uint64_t max_length = UINT64_MAX;
  std::optional<Pattern> pattern;
};

struct ArrayRules {
  uint64_t min_items = 0;
  uint64_t max_items = UINT64_MAX;
  bool unique = false;
  std::vector<NodeId> prefix;
  NodeId items = kNoNode;  // those behind `prefix`
  NodeId contains = kNoNode;
  uint64_t min_contains = 1;
  uint64_t max_contains = UINT64_MAX;
};

struct ObjectRules {
  uint64_t min_properties = 0;
  uint64_t max_properties = UINT64_MAX;
  std::vector<std::string> required;
  std::vector<std::string> names;  // of `properties`, for messages
  std::map<std::string, NodeId, std::less<>> properties;
  std::vector<std::pair<Pattern, NodeId>> patterns;
  NodeId additional = kNoNode;
  NodeId property_names = kNoNode;
  std::map<std::string, std::vector<std::string>> dependent_required;
};

// Applied to the same value.
struct InPlace {
  std::vector<NodeId> all_of;
  std::vector<NodeId> any_of;
  std::vector<NodeId> one_of;
  NodeId not_ = kNoNode;
  NodeId if_ = kNoNode;
  NodeId then_ = kNoNode;
  NodeId else_ = kNoNode;
  NodeId ref = kNoNode;
  NodeId dynamic_ref = kNoNode;
  std::string dynamic_anchor;  // empty: `dynamic_ref` is a plain reference
  std::map<std::string, NodeId> dependent_schemas;
};

struct Node {
  ResourceId resource = 0;
  std::optional<bool> constant;  // the schemas `true` and `false`
  uint8_t types = 0;             // 0: any
  const json::value* const_value = nullptr;
  const json::array* enum_values = nullptr;
  std::unique_ptr<NumberRules> numbers;
  std::unique_ptr<StringRules> strings;
  std::unique_ptr<ArrayRules> arrays;
  std::unique_ptr<ObjectRules> objects;
  std::unique_ptr<InPlace> in_place;
  NodeId unevaluated_items = kNoNode;
  NodeId unevaluated_properties = kNoNode;

  template <class Rules>
  static Rules& in(std::unique_ptr<Rules>& rules) {
    if (!rules) rules = std::make_unique<Rules>();
    return *rules;
  }
};

// Where $dynamicRef looks: the dynamic anchors of each resource.
struct ResourceAnchors {
  std::map<std::string, NodeId, std::less<>> dynamic;
};

struct Program {
  std::vector<std::unique_ptr<json::value>> documents;  // what the nodes point into
  std::vector<Node> nodes;                              // the root is the first
  std::vector<ResourceAnchors> resources;
};

}  // namespace perdure::schema
