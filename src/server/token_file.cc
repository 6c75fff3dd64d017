#include "server/token_file.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include "api/key_ring.h"
#include "server/private_file.h"
#include "server/toml.h"

namespace perdure::server {
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
  std::string token = api::new_token(rng);
  TRY_STATUS(write_private_durably(path, token + "\n"));
  return token;
}

}  // namespace perdure::server
