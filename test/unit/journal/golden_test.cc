// The stored form of every record, byte by byte: journals outlive the program that wrote them. A
// change here is a change of the format: raise the version and keep the old files. With ACCEPT=1 in
// the environment the files are written anew.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/text.h"
#include "fakes/part_of_payload.h"
#include "journal/binary.h"
#include "journal/frame.h"
#include "journal/record_json.h"

namespace perdure {
namespace {

// Gives every field a value that is not its default, and no two numbers of a record the same. A
// field that is added to a record is filled without a word here.
class Filler {
 public:
  explicit Filler(Payload::Place place) : place_(place) {}

  static constexpr bool since(uint32_t) { return true; }

  template <class T>
  void operator()(std::string_view name, T& value) {
    fill(name, value);
  }

 private:
  template <class T>
  void fill(std::string_view name, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = true;
    } else if constexpr (Named<T>) {
      value = last_of(T{});
    } else if constexpr (std::integral<T>) {
      // Odd ones are large, so that numbers of one byte and of more are both met.
      value = static_cast<T>(++count_ % 2 == 0 ? count_ : 1'000'000 + count_);
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = fmt::format("the {}", name);
    } else if constexpr (std::is_same_v<T, Sha256>) {
      value = sha256(name);
    } else if constexpr (std::is_same_v<T, Payload>) {
      value = payload(name);
    } else if constexpr (IsOptional<T>::value) {
      fill(name, value.emplace());
    } else if constexpr (IsVector<T>::value) {
      if (++depth_ <= 2) {
        for (int i = 0; i < 2; ++i) fill(name, value.emplace_back());
      }
      --depth_;
    } else {
      value.fields(*this);
    }
  }

  Payload payload(std::string_view name) const {
    const std::string bytes = fmt::format("{{\"of\":\"{}\"}}", name);
    if (place_ == Payload::Place::kInline) return Payload::of(bytes);
    if (place_ == Payload::Place::kWithin) return test::part_of_payload(7, 300, bytes);
    Payload out = Payload::blob(sha256(bytes), 300'000);
    out.place = place_;
    return out;
  }

  Payload::Place place_;
  int64_t count_ = 0;
  int depth_ = 0;
};

template <size_t... I>
std::vector<Record> make_samples(std::index_sequence<I...>) {
  constexpr Payload::Place kPlaces[] = {Payload::Place::kInline, Payload::Place::kBlob,
                                        Payload::Place::kWithin, Payload::Place::kErased};
  std::vector<Record> samples;
  const auto add = [&](auto body) {
    using Body = decltype(body);
    // Inline twice as often: it is what almost every payload is.
    const size_t turn = Body::kType % 6;
    Filler filler(kPlaces[turn < 4 ? turn : 0]);
    body.fields(filler);
    const auto n = static_cast<int64_t>(samples.size());
    samples.push_back({static_cast<Seq>(n + 1), 1'700'000'000'000 + n * n, std::move(body)});
  };
  (add(std::variant_alternative_t<I, RecordBody>{}), ...);
  return samples;
}

// One of every alternative, dense from 1.
const std::vector<Record>& samples() {
  static const std::vector<Record> all =
      make_samples(std::make_index_sequence<std::variant_size_v<RecordBody>>());
  return all;
}

std::filesystem::path folder() {
  return std::filesystem::path(PERDURE_SOURCE_DIR) / "test/golden/records";
}

uint32_t version_of(const Record& record) {
  return std::visit(
      [](const auto& body) { return perdure::version_of<std::decay_t<decltype(body)>>(); },
      record.body);
}

std::string file_name(const Record& record, uint32_t version, std::string_view ending) {
  return fmt::format("{}.v{}.{}", name_of(record.body), version, ending);
}

std::string file_name(const Record& record, std::string_view ending) {
  return file_name(record, version_of(record), ending);
}

bool accepting() {
  const char* accept = std::getenv("ACCEPT");
  return accept != nullptr && std::string_view(accept) == "1";
}

std::string read_file(const std::string& name) {
  std::ifstream file(folder() / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_golden(const std::string& name, const std::string& text) {
  if (accepting()) {
    std::filesystem::create_directories(folder());
    std::ofstream(folder() / name, std::ios::binary) << text;
  }
  const std::string golden = read_file(name);
  ASSERT_FALSE(golden.empty()) << "no golden file " << name << "; ACCEPT=1 writes it";
  EXPECT_EQ(text, golden) << name << ": the stored form has changed";
}

std::string hex_lines(std::string_view bytes) {
  const std::string hex = to_hex(bytes);
  std::string out;
  for (size_t at = 0; at < hex.size(); at += 64) out += hex.substr(at, 64) + "\n";
  return out;
}

std::string bytes_of_hex_lines(std::string text) {
  std::erase(text, '\n');
  return from_hex(text).value_or("");
}

std::string json_lines(const json::object& object) {
  std::string out = "{\n";
  for (const auto& member : object) {
    if (out.size() > 2) out += ",\n";
    out += fmt::format("  \"{}\": {}", std::string_view(member.key()), to_json(member.value()));
  }
  return out + "\n}\n";
}

TEST(Golden, EveryRecordIsWrittenAsBefore) {
  for (const Record& record : samples()) {
    expect_golden(file_name(record, "hex"), hex_lines(encode_record(record)));
  }
}

TEST(Golden, EveryRecordIsReadAsBefore) {
  for (const Record& record : samples()) {
    const std::string bytes = bytes_of_hex_lines(read_file(file_name(record, "hex")));
    auto decoded = decode_record(bytes);
    ASSERT_TRUE(decoded) << file_name(record, "hex") << ": " << decoded.error().message;
    EXPECT_EQ(decoded->body.index(), record.body.index());
    EXPECT_EQ(encode_record(*decoded), bytes);
    decoded->seq = record.seq;  // given by its place in the frame, not stored
    expect_golden(file_name(record, "json"), json_lines(record_to_json(*decoded)));
  }
}

// Of each older version: what it did not say yet has its default.
TEST(Golden, OlderVersionsAreRead) {
  size_t read = 0;
  for (const Record& record : samples()) {
    for (uint32_t version = 1; version < version_of(record); ++version) {
      const std::string name = file_name(record, version, "hex");
      auto decoded = decode_record(bytes_of_hex_lines(read_file(name)));
      ASSERT_TRUE(decoded) << name << ": " << decoded.error().message;
      EXPECT_EQ(decoded->body.index(), record.body.index());
      decoded->seq = record.seq;
      expect_golden(file_name(record, version, "json"), json_lines(record_to_json(*decoded)));
      ++read;
    }
  }
  EXPECT_GT(read, 0u);
}

TEST(Golden, AFrameOfOlderRecordsIsRead) {
  const Sha256 previous = sha256("the frame before");
  Frame frame;
  frame.task = TaskId::make(1'700'000'000'000, 0x0123456789abcdef, 0xfedcba9876543210);
  frame.first_seq = 1;
  frame.count = 18;  // types of records, when it was written
  frame.epoch = 5ULL << 32 | 3;
  frame.previous = previous;
  frame.body = bytes_of_hex_lines(read_file("frame.v1.first.hex"));
  std::string chain = read_file("frame.v1.first.chain");
  chain.pop_back();
  const auto parsed = parse_sha256(chain);
  ASSERT_TRUE(parsed);
  frame.chain = *parsed;
  const auto read = verify_frame(frame, previous);
  EXPECT_TRUE(read) << read.error().message;
}

// The view of what was written is that of what is read: no field is lost or swapped on the way.
TEST(Golden, TheViewSurvivesTheStoredForm) {
  for (Record record : samples()) {
    auto decoded = decode_record(encode_record(record));
    ASSERT_TRUE(decoded);
    decoded->seq = record.seq;
    if (Payload* payload = payload_of(record.body)) payload->bytes = nullptr;
    EXPECT_EQ(to_json(record_to_json(*decoded)), to_json(record_to_json(record)));
  }
}

// Bytes of payloads, the header and the chain.
TEST(Golden, AFrameOfAllRecords) {
  const TaskId task = TaskId::make(1'700'000'000'000, 0x0123456789abcdef, 0xfedcba9876543210);
  const Sha256 previous = sha256("the frame before");
  const Frame frame = encode_frame(task, 5ULL << 32 | 3, previous, samples());
  expect_golden("frame.v1.hex", hex_lines(frame.body));
  expect_golden("frame.v1.chain", to_hex(frame.chain.view()) + "\n");
  Frame stored = frame;
  stored.body = bytes_of_hex_lines(read_file("frame.v1.hex"));
  EXPECT_TRUE(verify_frame(stored, previous));
  const auto records = decode_frame(stored);
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->size(), samples().size());
  for (size_t i = 0; i < records->size(); ++i) {
    Record written = samples()[i];
    Payload* payload = payload_of(written.body);
    if (payload && payload->place != Payload::Place::kInline) payload->bytes = nullptr;
    EXPECT_EQ(to_json(record_to_json((*records)[i])), to_json(record_to_json(written)));
  }
}

template <class E>
void list(std::string& out, std::string_view type) {
  for (size_t i = 0; i <= static_cast<size_t>(last_of(E{})); ++i) {
    out += fmt::format("{} {} {}\n", type, i, to_string(static_cast<E>(i)));
  }
}

// Numbers are stored: appended, never reused.
TEST(Golden, NumbersOfWordsAreKept) {
  std::string out;
  list<TaskStatus>(out, "TaskStatus");
  list<Phase>(out, "Phase");
  list<CallKind>(out, "CallKind");
  list<ExecutedBy>(out, "ExecutedBy");
  list<EffectClass>(out, "EffectClass");
  list<OnDoubt>(out, "OnDoubt");
  list<Verdict>(out, "Verdict");
  list<EffectState>(out, "EffectState");
  list<Outcome>(out, "Outcome");
  list<FailureClass>(out, "FailureClass");
  list<InterruptReason>(out, "InterruptReason");
  list<Decision>(out, "Decision");
  list<OnExpire>(out, "OnExpire");
  list<StopReason>(out, "StopReason");
  list<TimerPurpose>(out, "TimerPurpose");
  list<Await::Op>(out, "Await.op");
  for (const Record& record : samples()) {
    const uint32_t type = std::visit(
        [](const auto& body) { return std::decay_t<decltype(body)>::kType; }, record.body);
    out += fmt::format("Record {} {}\n", type, name_of(record.body));
  }
  expect_golden("numbers.txt", out);
}

TEST(Golden, EveryRecordHasItsFilesAndNoFileIsLeftOver) {
  std::set<std::string> expected = {"frame.v1.hex", "frame.v1.chain", "frame.v1.first.hex",
                                    "frame.v1.first.chain", "numbers.txt"};
  for (const Record& record : samples()) {
    for (uint32_t version = 1; version <= version_of(record); ++version) {
      expected.insert(file_name(record, version, "hex"));
      expected.insert(file_name(record, version, "json"));
    }
  }
  ASSERT_EQ(samples().size(), std::variant_size_v<RecordBody>);
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    found.insert(entry.path().filename().string());
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace perdure
