#include "adapters/files/pin_files.h"

#include <unistd.h>

#include "adapters/files/file.h"

namespace perdure {

// The name of a server is no path: it was checked where it was read.
std::string PinFiles::path_of(const std::string& server) const {
  return root_ + "/" + server + ".json";
}

Result<std::string> PinFiles::load(const std::string& server) {
  return read_whole(path_of(server));
}

Status PinFiles::save(const std::string& server, const std::string& text) {
  const std::lock_guard lock(mutex_);
  TRY_STATUS(make_dir(root_));
  TRY_STATUS(sync_names(dir_));
  const std::string path = path_of(server);
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());  // of a process that was killed
  TRY_STATUS(write_durably(temporary, text));
  TRY_STATUS(rename_file(temporary, path));
  return sync_names(root_);
}

}  // namespace perdure
