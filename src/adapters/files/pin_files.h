#pragma once
// What was accepted of tool servers, a file for each: people may read and compare them, and a
// server that is forgotten is a file that is removed.
#include <mutex>
#include <string>

#include "ports/tool_pins.h"

namespace perdure {

class PinFiles final : public ToolPins {
 public:
  // `dir`: the data directory. The files have a directory of their own from the first on.
  explicit PinFiles(std::string dir) : dir_(std::move(dir)), root_(dir_ + "/tools") {}

  Result<std::string> load(const std::string& server) override;
  Status save(const std::string& server, const std::string& text) override;

 private:
  std::string path_of(const std::string& server) const;

  const std::string dir_;
  const std::string root_;
  std::mutex mutex_;
};

}  // namespace perdure
