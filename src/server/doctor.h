#pragma once
// `perdure doctor`: all of a closed data directory verified, and its rows put right.
#include <string>

namespace perdure::server {

struct DoctorFlags {
  std::string dir = ".perdure";
  bool forget_lost_commits = false;
  bool repair = false;
};

// The exit status. One line to standard output for each problem and for each thing that was done;
// how far it has come to standard error, if it takes long.
int run_doctor(const DoctorFlags& flags);

}  // namespace perdure::server
