#include "adapters/sandbox/bubblewrap.h"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <map>

namespace perdure {
namespace {

// Of /etc: what programs and their libraries read. No keys, no passwords, nothing of a service.
constexpr const char* kEtc[] = {
    "alternatives",  "ca-certificates.conf", "debian_version", "group",     "ld.so.cache",
    "ld.so.conf",    "ld.so.conf.d",         "localtime",      "magic",     "mime.types",
    "nsswitch.conf", "os-release",           "passwd",         "protocols", "services",
    "ssl/certs",     "ssl/openssl.cnf",      "timezone",
};
constexpr const char* kEtcOfNetwork[] = {"gai.conf", "host.conf", "hosts", "resolv.conf"};
constexpr const char* kSystemFolders[] = {"bin", "lib", "lib32", "lib64", "libx32", "sbin"};

using Arguments = std::vector<std::string>;

void add(Arguments& out, std::initializer_list<std::string> more) {
  out.insert(out.end(), more);
}

Result<std::string> real_path(const std::string& path, std::string_view what) {
  std::array<char, PATH_MAX> real;
  if (!path.starts_with('/') || realpath(path.c_str(), real.data()) == nullptr) {
    return fail(Code::kNotFound,
                fmt::format("the {} path '{}': {}", what, path,
                            path.starts_with('/') ? std::strerror(errno) : "is not absolute"));
  }
  return std::string(real.data());
}

bool is_folder(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

void add_system(Arguments& out, bool network) {
  add(out, {"--ro-bind", "/usr", "/usr"});
  for (const char* name : kSystemFolders) {
    const std::string path = std::string("/") + name;
    std::array<char, PATH_MAX> target;
    const ssize_t size = readlink(path.c_str(), target.data(), target.size());
    if (size > 0) {
      add(out, {"--symlink", std::string(target.data(), static_cast<size_t>(size)), path});
    } else {
      add(out, {"--ro-bind-try", path, path});
    }
  }
  const auto add_etc = [&](const char* name) {
    const std::string path = std::string("/etc/") + name;
    add(out, {"--ro-bind-try", path, path});
  };
  for (const char* name : kEtc) add_etc(name);
  if (network) {
    for (const char* name : kEtcOfNetwork) add_etc(name);
  }
}

// What is listed, by its real path; a folder stands before what is in it.
struct Listed {
  std::map<std::string, bool> writable_by_path;
  std::map<std::string, std::string> links;  // where -> to
  std::vector<std::string> hidden;
};

Status list(Listed& out, const std::vector<std::string>& paths, bool writable) {
  for (const std::string& path : paths) {
    TRY_ASSIGN(std::string real, real_path(path, writable ? "writable" : "readable"));
    if (real == "/") {
      return fail(Code::kInvalid, "a sandbox does not see the whole machine: list folders of '/'");
    }
    std::string where = std::filesystem::path(path).lexically_normal().string();
    if (where.ends_with('/')) where.pop_back();
    if (where != real) out.links[std::move(where)] = real;
    out.writable_by_path[std::move(real)] |= writable;
  }
  return {};
}

// Nothing under a hidden path is shown, and nothing above it can be moved.
Status check_hidden(const Listed& listed, const std::string& hidden) {
  for (const auto& [path, writable] : listed.writable_by_path) {
    if (is_within(path, hidden) || (writable && is_within(hidden, path))) {
      return fail(Code::kForbidden,
                  fmt::format("'{}' must not be {} for a sandbox: '{}' is kept from it", path,
                              writable ? "writable" : "readable", hidden));
    }
  }
  return {};
}

bool is_shown(const Listed& listed, const std::string& path) {
  if (is_within(path, "/usr")) return true;
  for (const auto& [folder, writable] : listed.writable_by_path) {
    if (is_within(path, folder)) return true;
  }
  return false;
}

Result<Listed> listed_of(const ProcessSpec& spec) {
  Listed listed;
  TRY_STATUS(list(listed, spec.readable, false));
  TRY_STATUS(list(listed, spec.writable, true));
  for (const std::string& path : spec.hidden) {
    const auto real = real_path(path, "hidden");
    if (!real) continue;  // there is nothing to hide
    TRY_STATUS(check_hidden(listed, *real));
    listed.hidden.push_back(*real);
  }
  return listed;
}

void add_listed(Arguments& out, const Listed& listed) {
  for (const auto& [path, writable] : listed.writable_by_path) {
    add(out, {writable ? "--bind" : "--ro-bind", path, path});
  }
  for (const auto& [where, to] : listed.links) {
    if (!is_shown(listed, where)) add(out, {"--symlink", to, where});
  }
  for (const std::string& path : listed.hidden) {
    if (!is_shown(listed, path)) continue;
    if (is_folder(path)) {
      add(out, {"--perms", "0555", "--size", "4096", "--tmpfs", path, "--remount-ro", path});
    } else {
      add(out, {"--ro-bind", "/dev/null", path});
    }
  }
}

}  // namespace

Status check_paths(const ProcessSpec& spec) {
  TRY_ASSIGN([[maybe_unused]] const Listed listed, listed_of(spec));
  return {};
}

bool is_within(std::string_view path, std::string_view folder) {
  if (!path.starts_with(folder)) return false;
  return path.size() == folder.size() || folder.ends_with('/') || path[folder.size()] == '/';
}

Result<std::vector<std::string>> bubblewrap_arguments(const std::string& bwrap,
                                                      const ProcessSpec& spec, int status_fd) {
  const std::string tmp_bytes = std::to_string(spec.limits.tmp_bytes);
  Arguments out = {bwrap, "--unshare-all", "--die-with-parent", "--json-status-fd",
                   std::to_string(status_fd)};
  if (spec.network) add(out, {"--share-net"});
  // No capability, and no way to get one: with them it could uncover what is hidden.
  add(out, {"--unshare-user", "--disable-userns", "--cap-drop", "ALL"});
  add_system(out, spec.network);
  add(out, {"--proc", "/proc", "--dev", "/dev"});
  if (spec.limits.tmp_bytes > 0) add(out, {"--size", tmp_bytes});
  add(out, {"--tmpfs", "/dev/shm", "--remount-ro", "/dev"});
  if (spec.limits.tmp_bytes > 0) add(out, {"--size", tmp_bytes});
  add(out, {"--tmpfs", "/tmp"});
  TRY_ASSIGN(const Listed listed, listed_of(spec));
  add_listed(out, listed);
  TRY_ASSIGN(const std::string workdir, real_path(spec.workdir, "working"));
  add(out, {"--remount-ro", "/", "--chdir", workdir, "--"});
  out.insert(out.end(), spec.command.begin(), spec.command.end());
  return out;
}

}  // namespace perdure
