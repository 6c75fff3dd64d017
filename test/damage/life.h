#pragma once
// One process over a store on disk: everything that it sends, says and shows, as lines of text, so
// that two lives can be compared.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/sqlite/sqlite_store.h"
#include "engine/world.h"

namespace perdure::damage {

class Life {
 public:
  // Opens the store; null with `error` if it is refused as a whole.
  static std::unique_ptr<Life> begin(const std::string& dir, test::MemoryBlobs& blobs,
                                     std::string& error);
  ~Life();

  // What is to be had without a change: rows, states, lists. A line each: "show TASK ...".
  void show(const std::vector<TaskId>& tasks);
  // Recovery, and an hour of timers.
  void recover();
  // Approves what waits for it, repeats the submission, walks over all rows.
  void act(const std::string& key_script);

  const std::multiset<std::string>& lines() const { return lines_; }
  size_t damaged() const { return damaged_; }  // reads that were refused
  size_t quarantined() const;

 private:
  struct Parts;
  Life();
  void pump(int64_t ms);
  void note_sends();

  std::unique_ptr<Parts> parts_;
  std::multiset<std::string> lines_;
  size_t damaged_ = 0;
};

}  // namespace perdure::damage
