#include "tools/served_files.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace estab::tools {
namespace {

// O_NONBLOCK: opening a FIFO must not wait for its other end.
constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

FileDescriptor openat2_beneath(int root, const char* relative) {
  open_how how{};
  how.flags = kOpenFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed during the walk, and it could not be proved harmless.
  for (int attempt = 0; attempt < 3; ++attempt) {
    long opened = syscall(SYS_openat2, root, relative, &how, sizeof how);
    if (opened >= 0 || errno != EAGAIN) return FileDescriptor(static_cast<int>(opened));
  }
  return {};
}

std::string link_of(const FileDescriptor& file) {
  return fmt::format("/proc/self/fd/{}", file.number());
}

// Where an open file lies now; empty if that cannot be said.
std::string place_of(const FileDescriptor& file) {
  std::array<char, PATH_MAX> place;
  const ssize_t length = readlink(link_of(file).c_str(), place.data(), place.size());
  if (length <= 0 || length == static_cast<ssize_t>(place.size())) return {};
  return {place.data(), static_cast<std::size_t>(length)};
}

bool lies_in(const std::string& place, std::string directory) {
  if (place.empty() || directory.empty()) return false;
  if (place == directory) return true;
  if (!directory.ends_with('/')) directory += '/';
  return place.starts_with(directory);
}

FileDescriptor open_if_inside(const FileDescriptor& root, const char* relative) {
  const FileDescriptor found(openat(root.number(), relative, O_PATH | O_CLOEXEC));
  if (!found) return {};
  if (!lies_in(place_of(found), place_of(root))) {
    errno = EXDEV;
    return {};
  }
  return FileDescriptor(::open(link_of(found).c_str(), kOpenFlags));
}

Status status_of_errno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:  // leads out
    case ENAMETOOLONG:
      return Status::not_found;
    case EACCES:
    case EPERM:
    case ENXIO:  // a socket
    case ENODEV:
      return Status::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return Status::unavailable;
    default:
      return Status::internal_error;
  }
}

ServedFile describe(FileDescriptor descriptor, const struct stat& about, std::string_view path) {
  ServedFile file;
  file.facts.size = static_cast<std::uint64_t>(about.st_size);
  file.facts.modified = about.st_mtim.tv_sec;
  file.facts.etag = fmt::format("\"{:x}-{:x}-{:x}\"", about.st_ino, about.st_size,
                                about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec);
  file.facts.content_type = content_type_of(path);
  file.descriptor = std::move(descriptor);
  return file;
}

std::expected<Served, Status> list(FileDescriptor directory) {
  DIR* stream = fdopendir(dup(directory.number()));
  if (stream == nullptr) return std::unexpected(status_of_errno(errno));
  ServedDirectory found;
  while (const dirent* entry = readdir(stream)) {
    std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat about{};
    if (fstatat(directory.number(), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (found.entries.size() == ServedFiles::kMaxListed) break;
    found.entries.push_back(
        {std::string(name), S_ISDIR(about.st_mode), static_cast<std::uint64_t>(about.st_size)});
  }
  closedir(stream);
  return found;
}

}  // namespace

std::expected<ServedFiles, std::string> ServedFiles::open(const std::string& directory) {
  bool has_openat2 = static_cast<bool>(openat2_beneath(AT_FDCWD, "."));
  return open(directory, has_openat2 ? Lookup::beneath : Lookup::by_place);
}

std::expected<ServedFiles, std::string> ServedFiles::open(const std::string& directory,
                                                          Lookup lookup) {
  FileDescriptor root(::open(directory.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!root) return std::unexpected(std::string(std::strerror(errno)));
  return ServedFiles(std::move(root), lookup);
}

FileDescriptor ServedFiles::open_beneath(const std::string& relative) const {
  const char* path = relative.empty() ? "." : relative.c_str();
  if (lookup_ == Lookup::beneath) {
    FileDescriptor found = openat2_beneath(root_.number(), path);
    if (found || errno != EXDEV) return found;
  }
  return open_if_inside(root_, path);
}

std::expected<Served, Status> ServedFiles::find(const std::string& path) const {
  if (!path.starts_with('/')) return std::unexpected(Status::bad_request);
  std::string relative = path.substr(1);
  bool wants_directory = path.ends_with('/');
  while (relative.ends_with('/')) relative.pop_back();
  FileDescriptor opened = open_beneath(relative);
  if (!opened) return std::unexpected(status_of_errno(errno));
  struct stat about{};
  if (fstat(opened.number(), &about) != 0) return std::unexpected(status_of_errno(errno));
  if (S_ISREG(about.st_mode)) {
    if (wants_directory) return std::unexpected(Status::not_found);
    return describe(std::move(opened), about, path);
  }
  if (!S_ISDIR(about.st_mode)) return std::unexpected(Status::forbidden);
  if (!wants_directory) return ServedDirectory{};
  std::string index = (relative.empty() ? "" : relative + "/") + "index.html";
  FileDescriptor page = open_beneath(index);
  if (page && fstat(page.number(), &about) == 0 && S_ISREG(about.st_mode))
    return describe(std::move(page), about, index);
  return list(std::move(opened));
}

}  // namespace estab::tools
