#include "server/address.h"

#include <fmt/core.h>

#include <cstdio>

#include "server/private_file.h"

namespace perdure::server {
namespace {

std::string address_file(const Config& config) {
  return config.data_dir + "/address";
}

std::string running_file(const Config& config) {
  return config.data_dir + "/running";
}

// For the command line: where to ask. A server that listens everywhere is asked on this machine.
std::string own_address(const Config& config, uint16_t port) {
  if (config.address == "0.0.0.0") return fmt::format("http://127.0.0.1:{}", port);
  if (config.address == "::") return fmt::format("http://[::1]:{}", port);
  return shown_address(config, port);
}

}  // namespace

std::string shown_address(const Config& config, uint16_t port) {
  const bool v6 = config.address.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", config.address, v6 ? "]" : "", port);
}

Status write_address(const Config& config, uint16_t port) {
  // Whoever finds the address finds with what it was started.
  TRY_STATUS(write_private(running_file(config), config.running));
  return write_private(address_file(config), own_address(config, port) + "\n");
}

void remove_running(const Config& config) {
  std::remove(running_file(config).c_str());
}

void remove_address(const Config& config) {
  std::remove(address_file(config).c_str());
}

}  // namespace perdure::server
