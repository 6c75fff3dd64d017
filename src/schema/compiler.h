#pragma once
// Turns documents into nodes. The first mistake is kept, and names its place.
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "schema/node.h"
#include "schema/registry.h"

namespace perdure::schema {

class Compiler {
 public:
  Compiler(std::span<const SchemaSource> sources, Program& program)
      : program_(program), registry_(sources, program) {}

  Status run(const json::value& document);

 private:
  struct Pending {
    NodeId node = kNoNode;
    ResourceId resource = 0;
    std::string reference;
    std::string place;
    bool dynamic = false;
  };
  struct Context {
    const json::object& object;
    ResourceId resource;
    const std::string& place;
  };

  NodeId node(const json::value& schema, ResourceId resource, const std::string& place);
  void types(const Context& in, Node& out);
  void values(const Context& in, Node& out);
  void numbers(const Context& in, Node& out);
  void strings(const Context& in, Node& out);
  void array_counts(const Context& in, Node& out);
  void object_counts(const Context& in, Node& out);
  void array_children(const Context& in, Node& out);
  void object_children(const Context& in, Node& out);
  void in_place(const Context& in, Node& out);
  void dependencies(const Context& in, Node& out);
  void references(const Context& in, NodeId id);

  // The keyword's value, or null.
  const json::value* value(const Context& in, std::string_view keyword) const;
  const json::value* number(const Context& in, std::string_view keyword);
  void count(const Context& in, std::string_view keyword, uint64_t& out);
  std::vector<std::string> words(const json::value& value, const std::string& place);
  std::optional<Pattern> pattern(std::string_view text, const std::string& place);
  NodeId child(const Context& in, std::string_view keyword);
  std::vector<NodeId> children(const Context& in, std::string_view keyword);

  void resolve_references();
  void compile_dynamic_anchors();
  void refuse_endless_references();
  void refuse(const std::string& place, std::string_view what, Code code = Code::kInvalid);

  Program& program_;
  Registry registry_;
  std::map<const json::value*, NodeId> known_;
  std::deque<Pending> pending_;
  std::map<NodeId, std::string> referring_;  // where each reference stands, for errors
  size_t patterns_ = 0;
  std::optional<Error> error_;
};

}  // namespace perdure::schema
