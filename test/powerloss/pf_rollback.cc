// pf_rollback DIR STATE SEED all|none|some: the roll-back by itself, to look at one state by hand.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "rollback.h"

int main(int count, char** arguments) {
  const std::string mode = count == 5 ? arguments[4] : "";
  if (mode != "all" && mode != "none" && mode != "some") {
    fprintf(stderr, "usage: pf_rollback DIR STATE SEED all|none|some\n");
    return 2;
  }
  const powerloss::Loss loss = mode == "all"    ? powerloss::Loss::kAll
                               : mode == "none" ? powerloss::Loss::kNone
                                                : powerloss::Loss::kSome;
  const auto report =
      powerloss::roll_back(arguments[1], arguments[2], strtoull(arguments[3], nullptr, 10), loss);
  if (!report) {
    fprintf(stderr, "pf_rollback: %s\n", report.error().message.c_str());
    return 1;
  }
  printf("%llu records, lost: %llu sectors, %llu sizes, %llu names\n",
         static_cast<unsigned long long>(report->records),
         static_cast<unsigned long long>(report->sectors_lost),
         static_cast<unsigned long long>(report->sizes_lost),
         static_cast<unsigned long long>(report->names_lost));
  return 0;
}
