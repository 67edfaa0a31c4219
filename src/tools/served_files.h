// The files below one directory, for serving. Whatever path comes in, nothing outside is opened:
// not by `..`, not by a symbolic link that ends outside, not in a race. A link that ends inside is
// followed, absolute or not.
//
// How: openat2 with RESOLVE_BENEATH finds nearly everything. What it refuses because a link left
// the directory on its way, and everything on a kernel without it, is looked up without being
// opened (O_PATH); the kernel then says where that file lies, and only if it lies inside is that
// same file opened.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "device/file_descriptor.h"
#include "tools/http.h"

namespace estab::tools {

using device::FileDescriptor;

/// An open regular file.
struct ServedFile {
  FileFacts facts;
  FileDescriptor descriptor;
};

struct ServedDirectory {
  std::vector<DirectoryEntry> entries;  ///< at most kMaxListed of them
};

using Served = std::variant<ServedFile, ServedDirectory>;

class ServedFiles {
 public:
  static constexpr std::size_t kMaxListed = 10000;
  enum class Lookup { beneath, by_place };

  /// The error is errno's text.
  static std::expected<ServedFiles, std::string> open(const std::string& directory);
  /// With a way of looking up that is given instead of found out.
  static std::expected<ServedFiles, std::string> open(const std::string& directory, Lookup lookup);

  /// What `path` names; it begins with a slash, and with a slash at its end it can only be a
  /// directory. A directory that has an index.html is that file, if the path ends in a slash.
  std::expected<Served, Status> find(const std::string& path) const;

 private:
  ServedFiles(FileDescriptor root, Lookup lookup) : root_(std::move(root)), lookup_(lookup) {}
  FileDescriptor open_beneath(const std::string& relative) const;

  FileDescriptor root_;
  Lookup lookup_;
};

}  // namespace estab::tools
