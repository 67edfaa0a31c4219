// The files below one directory, for serving. Whatever path comes in, nothing outside is opened:
// not by `..`, not by a symbolic link that leads out, not in a race (openat2 with RESOLVE_BENEATH;
// on a kernel without it no symbolic link is followed at all).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "estab/octets.h"

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
  enum class Lookup { beneath, without_links };

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

/// Octets of a file in memory, and what keeps them there.
struct FileOctets {
  Octets octets;
  std::shared_ptr<const void> owner;
};

/// Parts shorter than this are copied, longer ones are mapped.
inline constexpr std::uint64_t kCopyBelow = 64 << 10;

/// Maps a part of a file, or copies it if it is small. A mapped file that is truncated afterwards
/// reads as zeros from its new end on, and the program lives (see still_holds).
std::expected<FileOctets, Status> load(const ServedFile& file, const OctetRange& range);
/// False if the file has become shorter than it was when it was opened.
bool still_holds(const ServedFile& file);

}  // namespace estab::tools
