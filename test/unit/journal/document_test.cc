// The example of docs/journal.md is what the code writes.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/text.h"
#include "journal/frame.h"

namespace perdure {
namespace {

// The hexadecimal digits of the example that stand behind `word`, over its lines.
std::string shown(const std::string& word) {
  std::ifstream file(PERDURE_SOURCE_DIR "/docs/journal.md");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const size_t example = text.find("```text\nframe ");
  const size_t begin = text.find("\n" + word + " ", example) + 1 + word.size();
  std::string digits;
  for (size_t i = begin; i < text.size(); ++i) {
    const bool ends = text[i] == '\n' && text[i + 1] != ' ';
    if (ends) break;
    if (text[i] != ' ' && text[i] != '\n') digits += text[i];
  }
  return digits;
}

TEST(Document, ExampleOfAFrame) {
  std::string id;
  for (char byte = 0; byte < 16; ++byte) id += byte;
  const int64_t now_ms = 1'700'000'000'000;
  TimerSet set;
  set.timer = "t";
  set.due_ms = now_ms + 3'600'000;
  Noted noted;
  noted.note = Payload::of("hi");
  const std::vector<Record> records = {{7, now_ms, set}, {8, now_ms + 5, noted}};
  const Frame frame =
      encode_frame(TaskId::from_bytes(id).value(), uint64_t{1} << 32, Sha256{}, records);
  EXPECT_EQ(shown("frame"), to_hex(frame.body));
  EXPECT_EQ(shown("chain"), to_hex(frame.chain.view()));
}

}  // namespace
}  // namespace perdure
