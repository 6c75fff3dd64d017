// The description and the routes say the same.
#include <gtest/gtest.h>

#include <set>

#include "api/world.h"

namespace perdure::api::test {
namespace {

std::set<std::string> described(const json::value& document) {
  std::set<std::string> operations;
  for (const auto& path : document.at("paths").get_object()) {
    for (const auto& operation : path.value().get_object()) {
      operations.insert(std::string(operation.key()) + " " + std::string(path.key()));
    }
  }
  return operations;
}

TEST(Openapi, EveryRouteIsDescribedAndNothingElse) {
  World world;
  const Answer answer = world.get("/openapi.json");
  ASSERT_EQ(answer.status, 200);
  const json::value document = answer.json();
  const std::set<std::string> operations = described(document);
  EXPECT_GT(operations.size(), 20u);
  for (const auto& path : document.at("paths").get_object()) {
    std::string target(path.key());
    for (size_t open; (open = target.find('{')) != std::string::npos;) {
      target.replace(open, target.find('}') - open + 1, "x");
    }
    // What the server itself says of the path.
    const std::string allowed = world.ask({.method = "TRACE", .target = target}).header("allow");
    for (const auto& [method, name] : {std::pair("POST", "post "), std::pair("GET", "get "),
                                       std::pair("PUT", "put "), std::pair("DELETE", "delete ")}) {
      EXPECT_EQ(allowed.find(method) != std::string::npos,
                operations.contains(name + std::string(path.key())))
          << method << " " << path.key();
    }
  }
}

TEST(Openapi, EveryReferenceLeadsSomewhere) {
  World world;
  const json::value document = world.get("/openapi.json").json();
  std::vector<const json::value*> open{&document};
  size_t references = 0;
  while (!open.empty()) {
    const json::value* value = open.back();
    open.pop_back();
    if (const auto* array = value->if_array()) {
      for (const json::value& item : *array) open.push_back(&item);
    }
    const auto* object = value->if_object();
    if (object == nullptr) continue;
    for (const auto& member : *object) open.push_back(&member.value());
    const auto* reference = object->if_contains("$ref");
    if (reference == nullptr) continue;
    ++references;
    const auto found = find_pointer(document, std::string_view(reference->get_string()).substr(1));
    EXPECT_TRUE(found && *found != nullptr) << reference->get_string();
  }
  EXPECT_GT(references, 50u);
}

// The members of an answer are those that the description names.
TEST(Openapi, ATaskHasTheMembersThatItsSchemaRequires) {
  World world;
  const json::value document = world.get("/openapi.json").json();
  const json::value& schema = document.at("components").at("schemas").at("Task");
  for (const char* agent : {"echo", "payer", "sleeper"}) {
    const json::value task = world.get("/v1/tasks/" + world.submit(agent)).json();
    for (const json::value& name : schema.at("required").get_array()) {
      EXPECT_TRUE(task.get_object().contains(name.get_string())) << name;
    }
    for (const auto& member : task.get_object()) {
      EXPECT_TRUE(schema.at("properties").get_object().contains(member.key())) << member.key();
    }
  }
}

}  // namespace
}  // namespace perdure::api::test
