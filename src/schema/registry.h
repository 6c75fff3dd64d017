#pragma once
// What references can name: documents, the resources in them ($id), and their anchors.
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "schema/node.h"
#include "schema/schema.h"

namespace perdure::schema {

// A place in a schema, for errors: a JSON Pointer that grows.
std::string below(const std::string& place, std::string_view token);

class Registry {
 public:
  struct Resource {
    std::string uri;
    const json::value* root = nullptr;
    std::string place;  // of `root` in its document
    std::map<std::string, const json::value*, std::less<>> anchors;
    std::set<std::string, std::less<>> dynamic;  // those of `anchors` that are dynamic
    bool validation = true;  // its meta-schema has the validation vocabulary, or is not known
  };
  struct Target {
    const json::value* schema = nullptr;
    ResourceId resource = 0;
    std::string place;
    std::string dynamic_anchor;  // it was named by this dynamic anchor
  };

  // Documents that are used are copied into `program`.
  Registry(std::span<const SchemaSource> sources, Program& program)
      : sources_(sources), program_(program) {}

  Result<ResourceId> add(const json::value& document, const std::string& uri);
  Result<Target> find(ResourceId from, const std::string& reference);

  // `value` begins a resource of its own, or belongs to `parent`.
  ResourceId resource_of(const json::value& value, ResourceId parent) const;
  const std::vector<Resource>& resources() const { return resources_; }

 private:
  Status scan(const json::value& value, ResourceId resource, const std::string& place);
  Status scan_children(const json::object& object, ResourceId resource, const std::string& place);
  Result<ResourceId> begin_resource(const json::value& root, const std::string& uri,
                                    ResourceId parent, const std::string& place);
  Status add_anchor(const json::object& object, std::string_view keyword, const json::value& at,
                    ResourceId resource, const std::string& place);
  Status read_vocabulary(const json::object& root, Resource& resource);
  Result<ResourceId> document(const std::string& uri);
  const json::value* source(const std::string& uri) const;
  Result<Target> find_pointer_in(ResourceId resource, const std::string& pointer) const;

  std::span<const SchemaSource> sources_;
  Program& program_;
  std::vector<Resource> resources_;
  std::map<std::string, ResourceId> by_uri_;
  std::map<const json::value*, ResourceId> by_root_;
};

}  // namespace perdure::schema
