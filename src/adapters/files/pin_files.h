#pragma once
// What was accepted of tool servers, a file for each: people may read and compare them, and a
// server that is forgotten is a file that is removed.
#include <memory>
#include <mutex>
#include <string>

#include "ports/tool_pins.h"

namespace perdure {

class PinFiles final : public ToolPins {
 public:
  // `dir`: the data directory.
  static Result<std::unique_ptr<PinFiles>> open(const std::string& dir);

  Result<std::string> load(const std::string& server) override;
  Status save(const std::string& server, const std::string& text) override;

 private:
  explicit PinFiles(std::string root) : root_(std::move(root)) {}
  std::string path_of(const std::string& server) const;

  const std::string root_;
  std::mutex mutex_;
};

}  // namespace perdure
