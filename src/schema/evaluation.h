#pragma once
// One check of one value.
#include <optional>
#include <string>
#include <vector>

#include "schema/node.h"
#include "schema/schema.h"
#include "schema/work.h"

namespace perdure::schema {

// From the root of the value down to a member or item.
struct Path {
  const Path* up = nullptr;
  std::string_view name;
  std::optional<size_t> index;

  std::string pointer() const;
};

// Which members or items some subschema has spoken of: what `unevaluated...` is about.
class Seen {
 public:
  void add(size_t place) {
    if (place >= places_.size()) places_.resize(place + 1);
    places_[place] = true;
  }
  void add_all() { all_ = true; }
  bool has(size_t place) const { return all_ || (place < places_.size() && places_[place]); }
  void add(const Seen& other) {
    all_ = all_ || other.all_;
    if (other.places_.size() > places_.size()) places_.resize(other.places_.size());
    for (size_t i = 0; i < other.places_.size(); ++i) {
      if (other.places_[i]) places_[i] = true;
    }
  }
  size_t size() const { return places_.size(); }

 private:
  std::vector<bool> places_;
  bool all_ = false;
};

using Problems = std::vector<SchemaProblem>;

class Evaluation {
 public:
  Evaluation(const Program& program, Work& work) : program_(program), work_(work) {}

  // `seen`: null if nobody asks. `problems`: null if only the answer matters.
  bool run(NodeId id, const json::value& value, const Path& path, Seen* seen, Problems* problems);

 private:
  // What the functions below speak of.
  struct Frame {
    const Node& node;
    const json::value& value;
    const Path& path;
    Seen* seen;
    Problems* problems;
  };

  bool enter(const Frame& in);
  bool check_value(const Frame& in);
  bool check_number(const Frame& in, const NumberRules& rules);
  bool check_string(const Frame& in, const StringRules& rules);
  bool check_array(const Frame& in, const ArrayRules& rules);
  bool check_contains(const Frame& in, const ArrayRules& rules);
  bool check_object(const Frame& in, const ObjectRules& rules);
  bool check_members(const Frame& in, const ObjectRules& rules);
  bool check_member(const Frame& in, const ObjectRules& rules, std::string_view name,
                    const json::value& member, bool& known);
  bool check_in_place(const Frame& in, const InPlace& rules);
  bool check_any_of(const Frame& in, const InPlace& rules);
  bool check_one_of(const Frame& in, const InPlace& rules);
  bool check_if(const Frame& in, const InPlace& rules);
  bool check_unevaluated(const Frame& in);

  // A subschema on the same value; what it saw counts if it holds.
  bool same(const Frame& in, NodeId id, Problems* problems);
  NodeId dynamic_target(const InPlace& rules);
  // Notes it, and is false.
  bool wrong(const Frame& in, std::string expected);
  // There is a reason to go on after a failure: somebody wants to hear of more.
  static bool wants_more(const Frame& in) {
    return in.problems != nullptr && in.problems->size() < JsonSchema::kProblemsMax;
  }

  const Program& program_;
  Work& work_;
  std::vector<ResourceId> scope_;  // entered and not left
  size_t depth_ = 0;
};

}  // namespace perdure::schema
