// Where a command's data goes: a file, or standard output, which may be a pipe whose reader is
// slow. try_write never blocks, so that the connections the host serves go on meanwhile.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>

#include "estab/octets.h"

#include "device/file_descriptor.h"

namespace estab::tools {

class Output {
 public:
  /// Standard output.
  static Output standard();
  /// A file, made or emptied. The error is errno's text.
  static std::expected<Output, std::string> file(const std::string& path);

  /// Writes as much as can be taken now and returns how many octets; 0: wait until descriptor() is
  /// writable. The error is errno's text.
  std::expected<std::size_t, std::string> try_write(std::span<const Octets> pieces);
  /// Writes all, and waits for it. The error is errno's text.
  std::expected<void, std::string> write_all(Octets octets);
  /// The end of the output: a file is closed, and may tell only now that it could not be written.
  std::expected<void, std::string> close();
  int descriptor() const { return owned_ ? owned_.number() : borrowed_; }

 private:
  enum class Kind { nonblocking, socket, small_writes };
  explicit Output(device::FileDescriptor owned) : owned_(std::move(owned)) {}
  Output(int borrowed, Kind kind) : borrowed_(borrowed), kind_(kind) {}

  device::FileDescriptor owned_;
  int borrowed_ = -1;
  Kind kind_ = Kind::nonblocking;
};

}  // namespace estab::tools
