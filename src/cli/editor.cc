#include "cli/editor.h"

#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace perdure::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string editor() {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    if (std::string value = variable(name); !value.empty()) return value;
  }
  return "vi";
}

// A file that only this user can read, gone when this is.
class PrivateFile {
 public:
  ~PrivateFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }

  Status write(const std::string& text) {
    const std::string folder = variable("TMPDIR").empty() ? "/tmp" : variable("TMPDIR");
    std::string path = folder + "/perdure-edit-XXXXXX.json";
    const int fd = mkstemps(path.data(), 5);
    if (fd < 0) return failed("create a file in " + folder);
    path_ = path;
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(fd);
    return written ? Status{} : failed("write " + path_);
  }

  Result<std::string> read() const {
    std::ifstream in(path_, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) return failed("read " + path_);
    return text.str();
  }

  const std::string& path() const { return path_; }

 private:
  static tl::unexpected<Error> failed(const std::string& what) {
    return fail(Code::kUnsupported, fmt::format("cannot {}: {}", what, std::strerror(errno)));
  }

  std::string path_;
};

// While the editor has the terminal, ctrl-C is for it alone.
class QuietInterrupt {
 public:
  QuietInterrupt() {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &before_);
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigdefault(&attributes_, &interrupt);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
  }
  ~QuietInterrupt() {
    posix_spawnattr_destroy(&attributes_);
    sigaction(SIGINT, &before_, nullptr);
  }
  QuietInterrupt(const QuietInterrupt&) = delete;
  QuietInterrupt& operator=(const QuietInterrupt&) = delete;

  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  struct sigaction before_{};
  posix_spawnattr_t attributes_{};
};

// $EDITOR may have arguments: the shell takes it apart, as other programs let it.
Status run_editor(const std::string& path) {
  const std::string command = editor() + " \"$1\"";
  const char* arguments[] = {"sh", "-c", command.c_str(), "perdure", path.c_str(), nullptr};
  const QuietInterrupt quiet;
  pid_t child = 0;
  const int error = posix_spawn(&child, "/bin/sh", nullptr, quiet.attributes(),
                                const_cast<char**>(arguments), environ);
  int status = 0;
  if (error == 0) {
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (error == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(Code::kUnsupported,
              fmt::format("the editor '{}' did not end well; set EDITOR to one that does, or give "
                          "the arguments with --args",
                          editor()));
}

}  // namespace

Result<std::string> edited(const std::string& text) {
  PrivateFile file;
  TRY_STATUS(file.write(text));
  TRY_STATUS(run_editor(file.path()));
  return file.read();
}

}  // namespace perdure::cli
