// Capturing a device's frames: a device around a device, and the file it writes to.
//
//   auto file = estab::CaptureFile::open("flow.pcapng");
//   device = estab::capture_to(std::move(device), estab::sink_to(*file));
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "estab/device.h"
#include "estab/device_error.h"
#include "estab/octets.h"
#include "estab/pcap_writer.h"

namespace estab {

/// The same device, whose every frame is also written to `sink` in pcapng, stamped with the time of
/// day at which it passed.
std::unique_ptr<Device> capture_to(std::unique_ptr<Device> device, OctetSink sink);

/// A file being written, block by block and without a buffer: it can be read while it grows, and
/// however the program ends nothing that passed before is missing. After the first block that
/// cannot be written the rest is left out, and failure() says why.
class CaptureFile {
 public:
  /// Empties the file if it exists. `what` it is to be, for messages: "capture", "trace".
  static std::expected<std::shared_ptr<CaptureFile>, DeviceError> open(
      const std::string& path, std::string_view what = "capture");
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;
  ~CaptureFile();

  void write(Octets octets);
  const std::optional<DeviceError>& failure() const { return failure_; }

 private:
  CaptureFile(int descriptor, std::string path, std::string_view what)
      : descriptor_(descriptor), path_(std::move(path)), what_(what) {}

  int descriptor_;
  std::string path_, what_;
  std::optional<DeviceError> failure_{};
};

OctetSink sink_to(std::shared_ptr<CaptureFile> file);

}  // namespace estab
