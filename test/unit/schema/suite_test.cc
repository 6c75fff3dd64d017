// The official test suite of JSON Schema, draft 2020-12, from the folder that PERDURE_FIXTURES
// names.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "schema/schema.h"
#include "unit/schema/meta_schema.h"

namespace perdure {
namespace {

namespace fs = std::filesystem;

// File of the optional tests -> why it is left out. The others run like the required ones.
const std::map<std::string, std::string> kLeftOut = {
    {"cross-draft.json",
     "older drafts are read for what 2020-12 has not, not as drafts of their own"},
    {"format-assertion.json", "format is an annotation; a vocabulary that asserts it is refused"},
    {"format/date-time.json", "format is an annotation"},
    {"format/date.json", "format is an annotation"},
    {"format/duration.json", "format is an annotation"},
    {"format/ecmascript-regex.json", "format is an annotation"},
    {"format/email.json", "format is an annotation"},
    {"format/hostname.json", "format is an annotation"},
    {"format/idn-email.json", "format is an annotation"},
    {"format/idn-hostname.json", "format is an annotation"},
    {"format/ipv4.json", "format is an annotation"},
    {"format/ipv6.json", "format is an annotation"},
    {"format/iri-reference.json", "format is an annotation"},
    {"format/iri.json", "format is an annotation"},
    {"format/json-pointer.json", "format is an annotation"},
    {"format/regex.json", "format is an annotation"},
    {"format/relative-json-pointer.json", "format is an annotation"},
    {"format/time.json", "format is an annotation"},
    {"format/uri-reference.json", "format is an annotation"},
    {"format/uri-template.json", "format is an annotation"},
    {"format/uri.json", "format is an annotation"},
    {"format/uuid.json", "format is an annotation"},
};

json::value read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto value = parse_json(text, path.string(), {.depth = 200, .size_bytes = 16u << 20});
  EXPECT_TRUE(value.has_value()) << (value ? "" : value.error().message);
  return value ? *std::move(value) : json::value();
}

class Suite : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("PERDURE_FIXTURES");
    if (root == nullptr) {
      GTEST_SKIP() << "not run: the official JSON Schema test suite (PERDURE_FIXTURES is not set)";
    }
    const fs::path folder = fs::path(root) / "json-schema";
    tests_ = folder / "tests" / "draft2020-12";
    ASSERT_TRUE(fs::exists(tests_)) << tests_;
    for (const auto& file : fs::recursive_directory_iterator(folder / "remotes")) {
      if (!file.is_regular_file()) continue;
      const std::string name = fs::relative(file.path(), folder / "remotes").generic_string();
      documents_.emplace_back("http://localhost:1234/" + name,
                              std::make_unique<json::value>(read(file.path())));
    }
    for (const auto& [uri, text] : kMetaSchemas) {
      auto value = parse_json(text, uri);
      ASSERT_TRUE(value.has_value()) << uri << ": " << value.error().message;
      documents_.emplace_back(uri, std::make_unique<json::value>(*std::move(value)));
    }
    for (const auto& [uri, document] : documents_) sources_.push_back({uri, document.get()});
  }

  void run(const fs::path& path) {
    const json::value groups = read(path);
    for (const json::value& group : groups.as_array()) {
      const std::string name = fmt::format("{}: {}", path.filename().string(),
                                           std::string(group.at("description").as_string()));
      const auto schema = JsonSchema::compile(group.at("schema"), sources_);
      EXPECT_TRUE(schema.has_value()) << name << ": " << schema.error().message;
      if (!schema) continue;
      for (const json::value& test : group.at("tests").as_array()) {
        ++count_;
        const auto problems = schema->check(test.at("data"));
        ASSERT_TRUE(problems.has_value()) << name << ": " << problems.error().message;
        EXPECT_EQ(problems->empty(), test.at("valid").as_bool())
            << name << ": " << test.at("description").as_string() << "\n"
            << in_words(*problems, "the value");
        if (!problems->empty()) EXPECT_FALSE(problems->front().expected.empty());
      }
    }
  }

  fs::path tests_;
  std::vector<std::pair<std::string, std::unique_ptr<json::value>>> documents_;
  std::vector<SchemaSource> sources_;
  size_t count_ = 0;
};

TEST_F(Suite, EveryRequiredTest) {
  size_t files = 0;
  for (const auto& file : fs::directory_iterator(tests_)) {
    if (file.path().extension() != ".json") continue;
    run(file.path());
    ++files;
  }
  std::cout << "JSON Schema suite: " << count_ << " required tests in " << files << " files\n";
  EXPECT_GE(count_, 1299u);
}

TEST_F(Suite, OptionalTestsBarThoseLeftOut) {
  size_t left_out = 0;
  for (const auto& file : fs::recursive_directory_iterator(tests_ / "optional")) {
    if (file.path().extension() != ".json") continue;
    const std::string name = fs::relative(file.path(), tests_ / "optional").generic_string();
    if (const auto found = kLeftOut.find(name); found != kLeftOut.end()) {
      std::cout << "left out: optional/" << name << ": " << found->second << "\n";
      ++left_out;
      continue;
    }
    run(file.path());
  }
  std::cout << "JSON Schema suite: " << count_ << " optional tests; " << left_out
            << " files left out\n";
  EXPECT_EQ(left_out, kLeftOut.size()) << "a file that is left out is not there any more";
}

// The meta-schema is the largest schema that everybody agrees on.
TEST_F(Suite, TheMetaSchemaAcceptsItselfAndEverySchemaOfTheSuite) {
  const auto meta = JsonSchema::compile(
      json::object{{"$ref", "https://json-schema.org/draft/2020-12/schema"}}, sources_);
  ASSERT_TRUE(meta.has_value()) << meta.error().message;
  for (const auto& [uri, document] : documents_) {
    if (!uri.starts_with("https://json-schema.org/draft/2020-12/")) continue;
    const auto problems = meta->check(*document);
    ASSERT_TRUE(problems.has_value()) << problems.error().message;
    EXPECT_TRUE(problems->empty()) << uri << "\n" << in_words(*problems, "it");
  }
}

}  // namespace
}  // namespace perdure
