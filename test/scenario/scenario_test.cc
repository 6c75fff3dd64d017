// Each scenario is one test. A file of controls holds scenarios that must fail, each at the line
// that the comment "# fails" marks.
#include "scenario/scenario.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "scenario/line.h"

namespace perdure::scenario {
namespace {

constexpr size_t kScenariosMin = 40;

class Told : public testing::Test {
 public:
  explicit Told(Scenario scenario) : scenario_(std::move(scenario)) {}
  void TestBody() override {
    try {
      run(scenario_);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }

 private:
  Scenario scenario_;
};

class Control : public testing::Test {
 public:
  explicit Control(Scenario scenario) : scenario_(std::move(scenario)) {}
  void TestBody() override {
    const auto mark = std::find(scenario_.lines.begin(), scenario_.lines.end(), "  # fails");
    const auto line = scenario_.first_line + 1 + (mark - scenario_.lines.begin());
    const bool at_the_end = mark == scenario_.lines.end();
    try {
      run(scenario_);
    } catch (const Failed& error) {
      const std::string place = fmt::format("{}:{}:", scenario_.file, line);
      if (!at_the_end)
        EXPECT_EQ(std::string(error.what()).substr(0, place.size()), place) << error.what();
      return;
    }
    ADD_FAILURE() << "it holds, and must not";
  }

 private:
  Scenario scenario_;
};

// Letters only, so that a test can be chosen by its name.
std::string test_name(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

size_t add_file(const std::filesystem::path& path) {
  const bool controls = path.stem() == "controls";
  const auto scenarios = read_scenarios(path.string());
  for (const Scenario& scenario : scenarios) {
    testing::RegisterTest(test_name(path.stem().string()).c_str(), test_name(scenario.name).c_str(),
                          nullptr, nullptr, scenario.file.c_str(), scenario.first_line,
                          [=]() -> testing::Test* {
                            if (controls) return new Control(scenario);
                            return new Told(scenario);
                          });
  }
  return controls ? 0 : scenarios.size();
}

}  // namespace
}  // namespace perdure::scenario

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::filesystem::path folder = argc > 1 ? argv[1] : PERDURE_SCENARIOS;
  size_t count = 0;
  try {
    if (std::filesystem::is_regular_file(folder)) {
      perdure::scenario::add_file(folder);
      return RUN_ALL_TESTS();
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".txt") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) count += perdure::scenario::add_file(file);
  } catch (const perdure::scenario::Failed& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  const int failed = RUN_ALL_TESTS();
  fmt::print("scenarios: {}\n", count);
  if (count < perdure::scenario::kScenariosMin) {
    fmt::print(stderr, "at least {} are expected in {}\n", perdure::scenario::kScenariosMin,
               folder.string());
    return 1;
  }
  return failed;
}
