#pragma once
// What a Boost.JSON parser calls for each piece of a text: builds the value, and counts. An object
// of more members than it may have is refused at the first one too many, before any of it is built.
#include <boost/json/array.hpp>
#include <boost/json/error.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace perdure {

// For one text. The handler of boost::json::basic_parser, whose documentation says what calls what.
class JsonBuilder {
  using Text = boost::json::string_view;
  using Code = boost::json::error_code;

 public:
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  // `max_members`: of one object. `memory` is used before the heap is, and outlives this.
  JsonBuilder(size_t max_members, unsigned char* memory, size_t memory_bytes)
      : max_members_(max_members), values_(boost::json::storage_ptr(), memory, memory_bytes) {
    values_.reset();
    open_.reserve(16);
  }

  // Of the complete text.
  boost::json::value release() { return values_.release(); }
  // Of all objects, as they stand in the text: two of one name are two.
  size_t members() const { return members_; }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    open_.push_back(0);
    return true;
  }
  bool on_object_end(size_t count, Code&) {
    open_.pop_back();
    members_ += count;
    values_.push_object(count);
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t count, Code&) {
    values_.push_array(count);
    return true;
  }
  bool on_key_part(Text text, size_t, Code&) {
    values_.push_chars(text);
    return true;
  }
  bool on_key(Text text, size_t, Code& error) {
    if (++open_.back() > max_members_) {
      error = boost::json::error::object_too_large;
      return false;
    }
    values_.push_key(text);
    return true;
  }
  bool on_string_part(Text text, size_t, Code&) {
    values_.push_chars(text);
    return true;
  }
  bool on_string(Text text, size_t, Code&) {
    values_.push_string(text);
    return true;
  }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(int64_t number, Text, Code&) {
    values_.push_int64(number);
    return true;
  }
  bool on_uint64(uint64_t number, Text, Code&) {
    values_.push_uint64(number);
    return true;
  }
  bool on_double(double number, Text, Code&) {
    has_doubles_ = true;
    values_.push_double(number);
    return true;
  }
  bool on_bool(bool truth, Code&) {
    values_.push_bool(truth);
    return true;
  }
  bool on_null(Code&) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  bool has_doubles() const { return has_doubles_; }

 private:
  const size_t max_members_;
  boost::json::value_stack values_;
  std::vector<size_t> open_;  // members so far of each object whose end has not come
  size_t members_ = 0;
  bool has_doubles_ = false;
};

}  // namespace perdure
