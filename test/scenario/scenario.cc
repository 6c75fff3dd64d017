#include "scenario/scenario.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

#include "scenario/line.h"
#include "scenario/story.h"

namespace perdure::scenario {

std::vector<Scenario> read_scenarios(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Failed(path + ": cannot be read");
  std::vector<Scenario> all;
  const std::string heading = "scenario: ";
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with(heading)) {
      all.push_back(
          {line.substr(heading.size()), path.substr(path.rfind('/') + 1), number + 1, {}});
    } else if (!all.empty()) {
      all.back().lines.push_back(line);
    } else if (!line.empty() && !line.starts_with('#')) {
      throw Failed(fmt::format("{}:{}: a file begins with 'scenario: NAME'", path, number));
    }
  }
  return all;
}

namespace {

size_t indent_of(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool says_nothing(const std::string& line) {
  const size_t first = line.find_first_not_of(' ');
  return first == std::string::npos || line[first] == '#';
}

// The lines below line `i` that stand deeper, without their indent.
std::string block_below(const std::vector<std::string>& lines, size_t& i) {
  const size_t indent = indent_of(lines[i]);
  std::string block;
  while (i + 1 < lines.size() && !says_nothing(lines[i + 1]) && indent_of(lines[i + 1]) > indent) {
    const std::string& line = lines[++i];
    block += line.substr(indent_of(line)) + "\n";
  }
  return block;
}

}  // namespace

void run(const Scenario& scenario) {
  Story story;
  for (size_t i = 0; i < scenario.lines.size(); ++i) {
    if (says_nothing(scenario.lines[i])) continue;
    const std::string& text = scenario.lines[i];
    Line line(fmt::format("{}:{}", scenario.file, scenario.first_line + int(i)),
              text.substr(indent_of(text)));
    const std::string block = block_below(scenario.lines, i);
    story.tell(line, block);
  }
  story.close();
}

}  // namespace perdure::scenario
