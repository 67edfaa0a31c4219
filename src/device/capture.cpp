#include "estab/capture.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "device/file_descriptor.h"

namespace estab {
namespace {

/// Law: what passes through is unchanged; the device within shows its frames, this only writes.
class CaptureDevice final : public Device, private FrameTap {
 public:
  CaptureDevice(std::unique_ptr<Device> inner, OctetSink sink)
      : inner_(std::move(inner)), writer_(std::move(sink)) {
    interface_ = writer_.add_interface(inner_->interface_config().name);
    inner_->set_tap(this);
  }

  InterfaceConfig interface_config() const override { return inner_->interface_config(); }
  int descriptor() const override { return inner_->descriptor(); }
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                      std::size_t burst) override {
    return inner_->receive(now, stack, interface, burst);
  }
  bool ready() const override { return inner_->ready(); }
  bool flush() override { return inner_->flush(); }
  void transmit(Instant now, const TransmitFrame& frame) override { inner_->transmit(now, frame); }
  std::optional<DeviceError> failure() const override { return inner_->failure(); }

 private:
  void on_frame(Instant now, const TappedFrame& frame) override {
    writer_.write(interface_, time_of_day(now), frame);
    if (tap() != nullptr) tap()->on_frame(now, frame);
  }
  /// The clock of the stack has an epoch of its own: where it lies is measured at the first frame.
  Duration time_of_day(Instant now) {
    if (!epoch_)
      epoch_ = std::chrono::system_clock::now().time_since_epoch() - now.time_since_epoch();
    return *epoch_ + now.time_since_epoch();
  }

  std::unique_ptr<Device> inner_;
  PcapWriter writer_;
  std::uint32_t interface_ = 0;
  std::optional<Duration> epoch_{};
};

DeviceError file_error(const std::string& path, std::string_view what, const char* doing,
                       int number) {
  const auto kind = number == EACCES || number == EPERM ? DeviceError::Kind::no_permission
                                                        : DeviceError::Kind::system;
  return {kind, number,
          std::string("cannot ") + doing + " the " + std::string(what) + " file " + path + ": " +
              std::strerror(number) + "; choose another place for it"};
}

}  // namespace

std::unique_ptr<Device> capture_to(std::unique_ptr<Device> device, OctetSink sink) {
  return std::make_unique<CaptureDevice>(std::move(device), std::move(sink));
}

std::expected<std::shared_ptr<CaptureFile>, DeviceError> CaptureFile::open(const std::string& path,
                                                                           std::string_view what) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return std::unexpected(file_error(path, what, "open", errno));
  return std::shared_ptr<CaptureFile>(new CaptureFile(descriptor, path, what));
}

CaptureFile::~CaptureFile() {
  ::close(descriptor_);
}

void CaptureFile::write(Octets octets) {
  if (failure_) return;
  if (const int error = device::write_all(descriptor_, octets))
    failure_ = file_error(path_, what_, "write to", error);
}

OctetSink sink_to(std::shared_ptr<CaptureFile> file) {
  return [file = std::move(file)](Octets octets) { file->write(octets); };
}

}  // namespace estab
