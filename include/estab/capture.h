// Capturing a device's frames: a device around a device, and the file it writes to.
//
//   auto file = estab::CaptureFile::open("flow.pcapng");
//   device = estab::capture_to(std::move(device), estab::sink_to(*file));
#pragma once

#include <cstdio>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "estab/device.h"
#include "estab/device_error.h"
#include "estab/octets.h"
#include "estab/pcap_writer.h"

namespace estab {

/// The same device, whose every frame is also written to `sink` in pcapng, stamped with the time of
/// day at which it passed.
std::unique_ptr<Device> capture_to(std::unique_ptr<Device> device, OctetSink sink);

/// A file being written. What cannot be written is lost, and said so once by failure().
class CaptureFile {
 public:
  /// Empties the file if it exists.
  static std::expected<std::shared_ptr<CaptureFile>, DeviceError> open(const std::string& path);

  void write(Octets octets);
  /// Hands what is buffered to the kernel; so does the destructor.
  void flush();
  const std::optional<DeviceError>& failure() const { return failure_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  CaptureFile(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  void fail(int number);

  std::unique_ptr<std::FILE, Closer> file_;
  std::string path_;
  std::optional<DeviceError> failure_{};
};

OctetSink sink_to(std::shared_ptr<CaptureFile> file);

}  // namespace estab
