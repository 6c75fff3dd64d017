#pragma once
// perdure run FILE INPUT: an agent file, a question, the answer.
#include <string>

#include "cli/commands.h"

namespace perdure::cli {

struct RunFlags {
  std::string file;
  std::string input;  // text; "-": the standard input
  bool input_is_json = false;
  std::string session;  // empty: none
  std::string config = "perdure.toml";
  PlaceFlags place;     // with a URL no server is started
  bool detach = false;  // print the id and leave
  bool quiet = false;   // no progress
};

int run_agent(Context& context, const RunFlags& flags);

// The data directory that an operator's file names; ".perdure" beside us if it names none or is
// not there. As `perdure serve` finds it.
std::string data_dir_of(const std::string& config, const Program& program);

}  // namespace perdure::cli
