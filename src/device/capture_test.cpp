#include "estab/capture.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/time.h>

#include "device/tapping.h"
#include "tests/support/frames.h"

namespace estab {
namespace {

using std::chrono::nanoseconds;
using test::Checksums;

/// A file name that nobody else has, removed at the end.
class TemporaryFile {
 public:
  TemporaryFile() {
    std::string pattern = std::filesystem::temp_directory_path() / "estab-capture-XXXXXX";
    const int descriptor = ::mkstemp(pattern.data());
    if (descriptor >= 0) ::close(descriptor);
    path_ = pattern;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// What a command writes to its standard output, line by line.
std::vector<std::string> lines_of(const std::string& command) {
  std::vector<std::string> lines;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return lines;
  std::array<char, 4096> line;
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    lines.emplace_back(line.data());
    if (lines.back().ends_with('\n')) lines.back().pop_back();
  }
  ::pclose(pipe);
  return lines;
}

bool has_tshark() {
  return !lines_of("command -v tshark 2>/dev/null").empty();
}

std::vector<std::string> tshark(const std::string& path, const std::string& fields) {
  std::string command = "tshark -r " + path +
                        " -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields "
                        "-E separator=' ' ";
  std::string_view rest = fields;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    command += " -e " + std::string(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines_of(command + " 2>/dev/null");
}

const Endpoint kUs{IpAddress::v4(10, 0, 0, 2), 4000}, kThem{IpAddress::v4(10, 0, 0, 1), 80};

/// A capture of four frames: two hand-made segments with checksums left to the device (one a
/// super-segment), a datagram that came in, and one over IPv6.
void write_capture(const std::string& path) {
  auto file = CaptureFile::open(path);
  ASSERT_TRUE(file) << file.error().what;
  PcapWriter writer(sink_to(*file));
  PcapTap tap(writer, "estab0", std::chrono::seconds(1'700'000'000));
  PcapTap other(writer, "other");

  const std::vector<std::uint8_t> payload(20'000, 7);
  const Segment syn = test::segment_of(SeqNum(1), kSyn);
  const Segment data = test::segment_of(SeqNum(2), kAck | kPsh, payload);
  device::show_sent(tap, Instant(nanoseconds(1)),
                    test::tcp_frame(kUs, kThem, syn, Checksums::partial));
  device::show_sent(tap, Instant(nanoseconds(2)),
                    test::tcp_frame(kUs, kThem, data, Checksums::partial, 1460));
  const auto datagram =
      test::flat(test::udp_frame(kThem, kUs, as_octets("hello"), Checksums::partial));
  device::show_received(other, Instant(nanoseconds(3)), datagram, 0,
                        PartialChecksum{.start = 20, .offset = 6});
  const Endpoint us{*IpAddress::parse("fd00::2"), 1}, them{*IpAddress::parse("fd00::1"), 2};
  device::show_sent(tap, Instant(nanoseconds(4)),
                    test::tcp_frame(us, them, data, Checksums::finished));
}

TEST(Capture, IsReadByTshark) {
  if (!has_tshark()) GTEST_SKIP() << "tshark is not installed (Debian package tshark)";
  const TemporaryFile file;
  write_capture(file.path());
  EXPECT_EQ(
      tshark(file.path(),
             "frame.interface_name frame.packet_flags_direction ip.src ip.dst "
             "ipv6.src ipv6.dst frame.len"),
      (std::vector<std::string>{
          "estab0 0x00000002 10.0.0.2 10.0.0.1   56", "estab0 0x00000002 10.0.0.2 10.0.0.1   20056",
          "other 0x00000001 10.0.0.1 10.0.0.2   49", "estab0 0x00000002   fd00::2 fd00::1 20076"}));
  EXPECT_EQ(tshark(file.path(),
                   "tcp.srcport tcp.flags tcp.len udp.srcport tcp.checksum.status "
                   "udp.checksum.status"),
            (std::vector<std::string>{"4000 0x0002 0  1 ", "4000 0x0018 20000  1 ", "   80  1",
                                      "1 0x0018 20000  1 "}))
      << "a checksum status of 1 is good";
  EXPECT_EQ(tshark(file.path(), "frame.time_epoch"),
            (std::vector<std::string>{"1700000000.000000001", "1700000000.000000002", "0.000000003",
                                      "1700000000.000000004"}));
}

// libpcap, and so tcpdump, refuses two interfaces of LINKTYPE_RAW in one file. Of pcapng it knows
// no more than is asked for here.
struct Libpcap {
  void* library = ::dlopen("libpcap.so.0.8", RTLD_NOW);
  template <class Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(::dlsym(library, name));
  }
};

TEST(Capture, IsReadByLibpcapWithTwoInterfaces) {
  const Libpcap libpcap;
  if (libpcap.library == nullptr) GTEST_SKIP() << "no libpcap on this machine";
  struct Header {
    timeval time;
    std::uint32_t kept, length;
  };
  auto* const open = libpcap.find<void*(const char*, char*)>("pcap_open_offline");
  auto* const next = libpcap.find<int(void*, Header**, const std::uint8_t**)>("pcap_next_ex");
  auto* const error = libpcap.find<char*(void*)>("pcap_geterr");
  auto* const link_type = libpcap.find<int(void*)>("pcap_datalink");
  auto* const close = libpcap.find<void(void*)>("pcap_close");
  const TemporaryFile file;
  write_capture(file.path());

  std::array<char, 256> trouble{};
  void* const capture = open(file.path().c_str(), trouble.data());
  ASSERT_NE(capture, nullptr) << trouble.data();
  EXPECT_EQ(link_type(capture), 113);
  std::vector<std::uint32_t> lengths;
  Header* header = nullptr;
  const std::uint8_t* octets = nullptr;
  int outcome = 0;
  while ((outcome = next(capture, &header, &octets)) == 1) lengths.push_back(header->length - 16);
  EXPECT_EQ(outcome, -2) << "not the end, but: " << error(capture);
  EXPECT_EQ(lengths, (std::vector<std::uint32_t>{40, 20040, 33, 20060}));
  close(capture);
}

TEST(CaptureFile, SaysInOneLineWhyItCannotBeOpened) {
  const auto file = CaptureFile::open("/nowhere/at/all.pcapng");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().what,
            "cannot open the capture file /nowhere/at/all.pcapng: No such file or directory; "
            "choose another place for it");
}

TEST(CaptureFile, CanBeReadWhileItGrows) {
  const TemporaryFile path;
  auto file = CaptureFile::open(path.path());
  ASSERT_TRUE(file) << file.error().what;
  (*file)->write(std::vector<std::uint8_t>(100));
  EXPECT_EQ(std::filesystem::file_size(path.path()), 100u);
}

TEST(CaptureFile, SaysThatItCannotBeWrittenTo) {
  auto file = CaptureFile::open("/dev/full");
  if (!file) GTEST_SKIP() << file.error().what;
  EXPECT_FALSE((*file)->failure());
  (*file)->write(std::vector<std::uint8_t>(100));
  ASSERT_TRUE((*file)->failure());
  EXPECT_EQ((*file)->failure()->system_error, ENOSPC);
}

/// Shows what it is given to send, and on receive one frame from nowhere.
class LoneDevice final : public Device {
 public:
  InterfaceConfig interface_config() const override {
    InterfaceConfig config;
    config.name = "lone";
    return config;
  }
  int descriptor() const override { return 17; }
  std::size_t receive(Instant, Stack&, InterfaceId, std::size_t) override { return 0; }
  bool ready() const override { return true; }
  bool flush() override { return true; }
  void transmit(Instant now, const TransmitFrame& frame) override {
    ++sent;
    if (tap() != nullptr) device::show_sent(*tap(), now, frame);
  }
  int sent = 0;
};

struct CountingTap final : FrameTap {
  void on_frame(Instant, const TappedFrame&) override { ++frames; }
  int frames = 0;
};

TEST(CaptureTo, PassesEverythingOnAndWritesItDown) {
  std::vector<std::uint8_t> written;
  auto lone = std::make_unique<LoneDevice>();
  LoneDevice& inner = *lone;
  const auto device = capture_to(std::move(lone), [&](Octets octets) {
    written.insert(written.end(), octets.begin(), octets.end());
  });
  CountingTap outer;
  device->set_tap(&outer);
  EXPECT_EQ(device->descriptor(), 17);
  EXPECT_EQ(device->interface_config().name, "lone");
  EXPECT_NE(as_text(written).find("lone"), std::string_view::npos);

  const std::size_t before = written.size();
  device->transmit(Instant(nanoseconds(5)),
                   test::udp_frame(kUs, kThem, as_octets("seen"), Checksums::partial));
  EXPECT_EQ(inner.sent, 1);
  EXPECT_EQ(outer.frames, 1) << "a tap on the outer device sees the frame, too";
  EXPECT_NE(as_text(written).substr(before).find("seen"), std::string_view::npos);
}

TEST(CaptureTo, StampsFramesWithTheTimeOfDayWhateverTheEpochOfTheClock) {
  std::vector<std::uint8_t> block;
  const auto device = capture_to(std::make_unique<LoneDevice>(), [&](Octets octets) {
    block.assign(octets.begin(), octets.end());
  });
  const auto time_of = [&block] {
    const auto half = [&block](std::size_t at) {
      return std::uint64_t{base::load<std::endian::little, std::uint32_t>(&block[at])};
    };
    return nanoseconds(static_cast<std::int64_t>(half(12) << 32 | half(16)));
  };
  const auto frame = test::udp_frame(kUs, kThem, {}, Checksums::finished);
  const Instant start{std::chrono::hours(5)};
  const nanoseconds earliest = std::chrono::system_clock::now().time_since_epoch();
  device->transmit(start, frame);
  const nanoseconds first = time_of();
  EXPECT_GE(first, earliest);
  EXPECT_LE(first, std::chrono::system_clock::now().time_since_epoch());
  device->transmit(start + nanoseconds(70), frame);
  EXPECT_EQ(time_of() - first, nanoseconds(70)) << "later frames keep their distance";
}

}  // namespace
}  // namespace estab
