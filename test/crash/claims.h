#pragma once
// What a child has said of itself, and must be able to keep: lines that begin with "ack".
//   ack task TENANT KEY TASK                     a submission was acknowledged
//   ack kept TENANT NAME TIME                    a row was kept; a later one takes its place
//   ack record TASK SEQ HASH NAME STEP ATTEMPT OUTCOME   a record is durable; "-" where it has none
//   ack call ID TASK STEP ATTEMPT TOOL KEY WANT  a request leaves: its intent must be durable
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "journal/record.h"

namespace perdure::crash {

inline constexpr std::string_view kKeptKind = "rig";

struct SaidRecord {
  std::string task;
  Seq seq = 0;
  std::string hash;
  std::string name;
  std::string step;
  std::string attempt;
  std::string outcome;
};

// The line without "ack", and back.
std::string line_of(const TaskId& task, const Record& record);
SaidRecord read_record(const std::vector<std::string>& words);

// Of the record as it stands in the journal.
std::string short_hash(const Record& record);

struct Claims {
  std::map<std::pair<std::string, std::string>, std::string> tasks;  // (tenant, key) to task
  std::map<std::pair<std::string, std::string>, uint64_t> kept;      // (tenant, name) to the newest
  std::map<std::string, std::map<Seq, std::string>> records;         // task to hashes
  std::map<std::string, std::set<std::pair<std::string, uint32_t>>>
      calls;  // task to (step, attempt)

  // A line without "ack"; false, and why, if it contradicts an earlier one.
  bool add(std::string_view line, std::string& why);
};

}  // namespace perdure::crash
