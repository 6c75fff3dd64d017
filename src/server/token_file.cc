#include "server/token_file.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include "base/text.h"
#include "server/private_file.h"
#include "server/toml.h"

namespace perdure::server {
namespace {

constexpr int kRandomWords = 4;  // 256 bits

std::string new_token(Rng& rng) {
  std::string bytes;
  for (int i = 0; i < kRandomWords; ++i) {
    const uint64_t word = rng.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return "perdure_" + to_base32(bytes);
}

}  // namespace

Result<std::string> own_token(const std::string& dir, Rng& rng) {
  const std::string path = dir + "/token";
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    if ((info.st_mode & 077) != 0) {
      return fail(Code::kForbidden, path +
                                        " can be read by others: chmod 600 it, and make a new "
                                        "token by removing it");
    }
    TRY_ASSIGN(std::string token, read_file(path));
    while (!token.empty() && token.back() == '\n') token.pop_back();
    if (token.size() < 16) return fail(Code::kInvalid, path + " holds no token: remove it");
    return token;
  }
  std::string token = new_token(rng);
  TRY_STATUS(write_private(path, token + "\n"));
  return token;
}

}  // namespace perdure::server
