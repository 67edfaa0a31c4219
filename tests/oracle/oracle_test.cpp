// The stack against the kernel: no difference that is not settled; and the check can fail: a bug
// planted between the two is found.

#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "base/byte_order.h"
#include "drill/parser.h"
#include "oracle/differences/known.h"
#include "oracle/estab_subject.h"
#include "oracle/from_script.h"
#include "oracle/generator.h"
#include "oracle/kernel_subject.h"
#include "tests/support/network_namespace.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::oracle {
namespace {

/// Compares `count` sequences; the first that differs without an explanation, shrunk.
std::string first_unexplained(Subject& kernel, Subject& estab, std::uint64_t seed,
                              std::uint64_t count) {
  Oracle oracle(kernel, estab, known_differences());
  for (std::uint64_t n = 0; n < count; ++n) {
    Comparison comparison = oracle.compare(generate(seed, n));
    if (!comparison.unexplained) continue;
    const auto small = oracle.shrink(std::move(*comparison.unexplained));
    if (small)
      return "seed " + std::to_string(seed) + ", number " + std::to_string(n) + ": " +
             describe(*small);
  }
  return {};
}

void with_kernel(const std::function<void(Subject& kernel)>& body) {
  test::in_network_namespace([&] {
    auto in = enter_kernel_namespace();
    ASSERT_TRUE(in.has_value()) << in.error();
    KernelSubject kernel(std::move(*in));
    body(kernel);
  });
}

class Sequences : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, Sequences, testing::Values(101, 102, 103));

TEST_P(Sequences, AreAnsweredAsTheKernelDoesOrAsIsSettled) {
  with_kernel([](Subject& kernel) {
    EstabSubject estab;
    EXPECT_EQ(first_unexplained(kernel, estab, GetParam(), 1000), "");
  });
}

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Differences, EveryClassStandsInTheDocument) {
  const std::string document = text_of(ESTAB_SOURCE_DIR "/docs/differences.md");
  for (const KnownDifference& known : known_differences())
    EXPECT_NE(document.find("| " + std::string(known.name) + " |"), std::string::npos)
        << known.name;
  std::size_t rows = 0;
  for (std::size_t at = document.find("\n| ", document.find("## The classes"));
       at != std::string::npos; at = document.find("\n| ", at + 1))
    rows += document.compare(at + 3, 7, "class |") != 0 ? 1 : 0;
  EXPECT_EQ(rows, known_differences().size()) << "a class that is not in the code stands there";
}

/// A script has the same steps as the sequence the generator would make of it.
TEST(Scripts, BecomeSequencesOfTheirPacketsAndCalls) {
  const auto script = drill::parse_script(R"(
    0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
    +0   bind(3, ..., ...) = 0
    +0   listen(3, 1) = 0
    +0.1 < S 0:0(0) win 1000 <mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 3>
    +0   > S. 0:0(0) ack 1 <...>
    +0   < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 8 ecr 9>
    +0   accept(3, ..., ...) = 4
    +0   write(4, ..., 100) = 100
    +0   close(4) = 0
  )");
  ASSERT_TRUE(script.has_value()) << script.error().what;
  const ScriptedSequence made = sequence_of(*script, Family::ipv6);
  EXPECT_TRUE(made.left_out.empty());
  EXPECT_EQ(made.sequence.family, Family::ipv6);
  std::vector<std::string> steps;
  for (const Step& step : made.sequence.steps) steps.push_back(to_string(step));
  const std::vector<std::string> expected = {
      "listen",
      "wait 0.100000 s",
      "< S 0(0) win 1000 <mss 1460,sackOK,TS val 7 ecr 0,wscale 3>",
      "< . 1(0) ack 1 win 1000 <TS val 8 ecr latest>",
      "accept",
      "write(100)",
      "close"};
  EXPECT_EQ(steps, expected);
}

/// A stack that goes wrong: its frames, or the peer's, are changed on the way.
class WrongSubject : public EstabSubject {
 public:
  bool take_frame(std::vector<std::uint8_t>& into) override {
    if (!EstabSubject::take_frame(into)) return false;
    with_segment(into, [&](Segment& segment, MutableOctets) { spoil_sent(segment); });
    return true;
  }
  void inject(Octets datagram) override {
    std::vector<std::uint8_t> octets(datagram.begin(), datagram.end());
    with_segment(octets, [&](Segment& segment, MutableOctets) { spoil_received(segment); });
    EstabSubject::inject(octets);
  }

 private:
  virtual void spoil_sent(Segment&) {}
  virtual void spoil_received(Segment&) {}

  template <class Change>
  static void with_segment(std::vector<std::uint8_t>& datagram, Change&& change) {
    const auto packet = wire::parse_ip(datagram);
    if (!packet || packet->header.protocol != wire::kProtocolTcp) return;
    if (!wire::verify_transport_checksum(packet->header.source, packet->header.destination,
                                         wire::kProtocolTcp, packet->payload))
      return;
    const std::size_t at = packet->header_octets.size();
    auto segment = wire::parse_tcp(packet->payload);
    if (!segment) return;
    const MutableOctets tcp = MutableOctets(datagram).subspan(at);
    change(*segment, tcp);
    base::store_be32(tcp.data() + 4, segment->seq.value());
    base::store_be32(tcp.data() + 8, segment->ack.value());
    tcp[13] = segment->flags.wire();
    base::store_be16(tcp.data() + wire::kTcpChecksumOffset, 0);
    wire::finish_tcp_checksum(tcp, packet->header.source, packet->header.destination);
  }
};

/// The FIN is not counted in what is acknowledged.
class ForgetsFins final : public WrongSubject {
  void spoil_received(Segment& segment) override {
    fin_ = segment.flags.fin() && !segment.flags.syn();
  }
  void spoil_sent(Segment& segment) override {
    if (fin_ && segment.flags.ack()) segment.ack = segment.ack - 1;
  }
  bool fin_ = false;
};

/// A RST in the window resets without being exact.
class BelievesResets final : public WrongSubject {
  void spoil_sent(Segment& segment) override {
    if (segment.flags.ack()) expected_ = segment.ack;
  }
  void spoil_received(Segment& segment) override {
    const std::int32_t ahead = segment.seq - expected_;
    if (segment.flags.rst() && ahead > 0 && ahead < 1000) segment.seq = expected_;
  }
  SeqNum expected_;
};

TEST(PlantedBug, AFinThatIsNotCountedIsFound) {
  with_kernel([](Subject& kernel) {
    ForgetsFins wrong;
    EXPECT_NE(first_unexplained(kernel, wrong, 101, 1000), "");
  });
}

TEST(PlantedBug, AResetThatNeedNotBeExactIsFound) {
  with_kernel([](Subject& kernel) {
    BelievesResets wrong;
    EXPECT_NE(first_unexplained(kernel, wrong, 101, 3000), "");
  });
}

}  // namespace
}  // namespace estab::oracle
