#pragma once
// Journals that stand in a file, a line each: what a fold makes of them is held against what an
// earlier program made of them.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "journal/frame.h"

namespace perdure::test {

inline std::string golden_path(const std::string& name) {
  return std::string(PERDURE_SOURCE_DIR) + "/test/golden/snapshots/" + name;
}

inline bool accepts_golden() {
  const char* accept = std::getenv("ACCEPT");
  return accept != nullptr && std::string_view(accept) == "1";
}

inline std::string read_golden(const std::string& name) {
  std::ifstream file(golden_path(name));
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_golden(const std::string& name, const std::string& text) {
  std::ofstream(golden_path(name)) << text;
}

inline TaskId golden_task() {
  return TaskId::make(1'700'000'000'000, 1, 2);
}

// Records of one task, with the bytes of their payloads, as one frame.
inline std::string golden_line(const std::vector<Record>& records) {
  const Frame frame = encode_frame(golden_task(), 1, {}, records);
  return std::to_string(frame.count) + " " + to_hex(frame.body) + "\n";
}

inline std::vector<std::vector<Record>> golden_journals(const std::string& name) {
  std::vector<std::vector<Record>> journals;
  std::istringstream lines(read_golden(name));
  for (std::string line; std::getline(lines, line);) {
    Frame frame;
    frame.task = golden_task();
    frame.first_seq = 1;
    frame.epoch = 1;
    const size_t space = line.find(' ');
    frame.count = static_cast<uint32_t>(std::stoul(line.substr(0, space)));
    frame.body = from_hex(line.substr(space + 1)).value_or("");
    frame.chain = chain_of(frame);
    journals.push_back(decode_frame(frame).value_or(std::vector<Record>()));
  }
  return journals;
}

}  // namespace perdure::test
