#pragma once
// How a transcript stands in a snapshot: the fields of journal/binary.h, and texts that are shared
// in memory only once. A text that is a payload of the blob store is named by its hash.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/binary.h"
#include "journal/message.h"
#include "journal/payload.h"

namespace perdure {

// Brings the bytes of a payload, wherever they stand.
using CompletePayload = std::function<Status(Payload& payload)>;

class LayoutWriter {
 public:
  explicit LayoutWriter(std::string& out) : writer_(out, InlineBytes::kBehind) {}

  template <class T>
  void put(const T& value) {
    writer_.put(value);
  }
  // Null as well.
  void put_text(const std::shared_ptr<const std::string>& text, bool is_blob);
  void put_calls(const std::vector<ToolCall>& calls);
  void put_raw(const ModelAnswer& answer);

 private:
  BinaryWriter writer_;
  std::map<const std::string*, uint64_t> texts_;  // that stand already, by their number
};

// As BinaryReader: after the first damage `ok` is false, and what was read means nothing.
class LayoutReader {
 public:
  LayoutReader(std::string_view in, const CompletePayload& complete)
      : reader_(in, InlineBytes::kBehind), complete_(complete) {}

  bool ok() const { return reader_.ok(); }
  bool at_end() const { return reader_.at_end(); }
  size_t left() const { return reader_.left(); }
  void spoil() { reader_.spoil(); }

  template <class T>
  void get(T& value) {
    reader_.get(value);
  }
  template <class Enum, Enum kLast>
  Enum get_enum() {
    uint64_t value = 0;
    get(value);
    if (value > static_cast<uint64_t>(kLast)) spoil();
    return ok() ? static_cast<Enum>(value) : Enum{};
  }
  std::shared_ptr<const std::string> get_text(bool& is_blob);
  void get_payload(Payload& payload);  // with its bytes
  void get_calls(std::vector<ToolCall>& calls);
  void get_raw(ModelAnswer& answer);

 private:
  struct Text {
    std::shared_ptr<const std::string> text;
    bool is_blob = false;
  };

  BinaryReader reader_;
  const CompletePayload& complete_;
  std::vector<Text> texts_;
};

}  // namespace perdure
