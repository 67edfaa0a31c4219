#include "ip/reassembler.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "ip/fragment_maker.h"
#include "ip/hash_of.h"

namespace estab::ip {
namespace {

using std::chrono::seconds;

constexpr Instant kStart{seconds(1000)};
const Family kFamilies[] = {Family::ipv4, Family::ipv6};

Reassembler fresh() {
  return Reassembler(ReassemblerConfig{});
}

/// The datagram whole, if this fragment completed it. Fails the test if it was refused.
std::optional<Reassembler::Datagram> accept(Reassembler& reassembler, const TestFragment& fragment,
                                            Instant now = kStart) {
  auto result = reassembler.accept(now, fragment.packet());
  EXPECT_TRUE(result.has_value());
  return result.value_or(std::nullopt);
}

FragmentRefusal refusal(Reassembler& reassembler, const TestFragment& fragment) {
  const auto result = reassembler.accept(kStart, fragment.packet());
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? FragmentRefusal{Verdict::accepted} : result.error();
}

void expect_whole(const FragmentMaker& maker,
                  const std::optional<Reassembler::Datagram>& datagram) {
  ASSERT_TRUE(datagram.has_value());
  const auto packet = wire::parse_ip(*datagram);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->fragment, std::nullopt);
  EXPECT_EQ(packet->header.source, maker.header.source);
  EXPECT_EQ(packet->header.destination, maker.header.destination);
  EXPECT_EQ(packet->header.protocol, maker.header.protocol);
  EXPECT_EQ(packet->header.ttl, maker.header.ttl);
  EXPECT_TRUE(std::ranges::equal(packet->payload, maker.payload));
  EXPECT_EQ(packet->octets().size(), datagram->size());
}

// [RFC 1122 3.3.2-1]
TEST(Reassembler, JoinsFragmentsInEveryOrder) {
  for (const Family family : kFamilies) {
    const FragmentMaker maker(100, family);
    const std::vector<TestFragment> fragments = {maker.cut(0, 32), maker.cut(32, 8),
                                                 maker.cut(40, 56), maker.cut(96, 4)};
    std::vector<std::size_t> order = {0, 1, 2, 3};
    do {
      Reassembler reassembler = fresh();
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(accept(reassembler, fragments[order[i]]), std::nullopt);
      }
      expect_whole(maker, accept(reassembler, fragments[order[3]]));
      EXPECT_EQ(reassembler.size(), 0u);
      EXPECT_EQ(reassembler.octets(), 0u);
    } while (std::ranges::next_permutation(order).found);
  }
}

// [RFC 1122 3.3.2-2]
TEST(Reassembler, JoinsTheLongestDatagramThereIs) {
  for (const Family family : kFamilies) {
    const std::size_t length = family == Family::ipv4 ? 65515 : 65535;
    const FragmentMaker maker(length, family);
    Reassembler reassembler = fresh();
    constexpr std::size_t kStep = 1480;
    for (std::size_t at = 0; at + kStep < length; at += kStep) {
      EXPECT_EQ(accept(reassembler, maker.cut(at, kStep)), std::nullopt);
    }
    const std::size_t last = length / kStep * kStep;
    expect_whole(maker, accept(reassembler, maker.cut(last, length - last)));
  }
}

// RFC 791 §3.2: source, destination, protocol and identification belong together.
TEST(Reassembler, KeepsDatagramsApart) {
  for (const Family family : kFamilies) {
    FragmentMaker one(64, family), other(64, family);
    std::ranges::reverse(other.payload);
    const auto run = [&] {
      Reassembler reassembler = fresh();
      EXPECT_EQ(accept(reassembler, one.cut(0, 32)), std::nullopt);
      EXPECT_EQ(accept(reassembler, other.cut(0, 32)), std::nullopt);
      expect_whole(one, accept(reassembler, one.cut(32, 32)));
      expect_whole(other, accept(reassembler, other.cut(32, 32)));
    };
    const wire::IpHeader same = other.header;
    other.identification = 8;
    run();
    other.identification = one.identification;
    other.header.source = other.header.destination;
    run();
    other.header = same;
    other.header.destination = other.header.source;
    run();
  }
}

TEST(Reassembler, KeepsProtocolsApartInIpv4) {
  FragmentMaker udp(64), icmp(64);
  icmp.header.protocol = wire::kProtocolIcmp;
  Reassembler reassembler = fresh();
  EXPECT_EQ(accept(reassembler, udp.cut(0, 32)), std::nullopt);
  EXPECT_EQ(accept(reassembler, icmp.cut(32, 32)), std::nullopt);
  EXPECT_EQ(reassembler.size(), 2u);
}

// RFC 8200 §4.5: the next header may differ; that of the first fragment counts.
TEST(Reassembler, TakesTheNextHeaderOfTheFirstFragmentInIpv6) {
  const FragmentMaker maker(64, Family::ipv6);
  FragmentMaker odd = maker;
  odd.header.protocol = 99;
  Reassembler reassembler = fresh();
  EXPECT_EQ(accept(reassembler, odd.cut(32, 32)), std::nullopt);
  expect_whole(maker, accept(reassembler, maker.cut(0, 32)));
}

// RFC 8200 §4.5: the headers before the fragment header come from the first fragment.
TEST(Reassembler, KeepsTheExtensionHeadersOfTheFirstFragmentInIpv6) {
  const FragmentMaker maker(64, Family::ipv6);
  TestFragment first = maker.cut(0, 32);
  // A destination options header of 16 octets (PadN), between IPv6 and fragment header.
  const std::vector<std::uint8_t> options = {
      wire::kProtocolFragment, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  first.octets.insert(first.octets.begin() + 40, options.begin(), options.end());
  first.octets[6] = wire::kProtocolDestinationOptions;
  base::store_be16(&first.octets[4], 16 + 8 + 32);

  Reassembler reassembler = fresh();
  EXPECT_EQ(accept(reassembler, maker.cut(32, 32)), std::nullopt);
  const auto datagram = accept(reassembler, first);
  expect_whole(maker, datagram);
  const auto packet = wire::parse_ip(*datagram);
  ASSERT_EQ(packet->options.size(), 16u);
  EXPECT_EQ(packet->options[0], wire::kProtocolUdp);
  EXPECT_EQ(base::load_be16(&(*datagram)[4]), 16 + 64);
}

TEST(Reassembler, KeepsTheOptionsOfTheFirstFragmentInIpv4) {
  const FragmentMaker maker(64);
  TestFragment first = maker.cut(0, 32);
  first.octets.insert(first.octets.begin() + 20, {1, 1, 1, 0});
  first.octets[0] = 0x46;
  base::store_be16(&first.octets[2], 24 + 32);
  base::store_be16(&first.octets[10], 0);
  base::store_be16(&first.octets[10], wire::checksum(Octets(first.octets).first(24)));
  Reassembler reassembler = fresh();
  EXPECT_EQ(accept(reassembler, first), std::nullopt);
  const auto datagram = accept(reassembler, maker.cut(32, 32));
  expect_whole(maker, datagram);
  EXPECT_EQ(wire::parse_ip(*datagram)->options.size(), 4u);
}

TEST(Reassembler, IgnoresAnExactDuplicate) {
  for (const Family family : kFamilies) {
    const FragmentMaker maker(100, family);
    const std::vector<TestFragment> fragments = {maker.cut(96, 4), maker.cut(0, 32),
                                                 maker.cut(32, 64)};
    Reassembler reassembler = fresh();
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(accept(reassembler, fragments[i]), std::nullopt);
      const Reassembler before = reassembler;
      for (std::size_t j = 0; j <= i; ++j) {
        EXPECT_EQ(accept(reassembler, fragments[j]), std::nullopt);
      }
      EXPECT_EQ(reassembler, before);
    }
    expect_whole(maker, accept(reassembler, fragments[2]));
  }
}

// RFC 5722 §4: the datagram and every fragment of it, "including those not yet received".
TEST(Reassembler, DiscardsADatagramWhoseFragmentsOverlap) {
  struct Overlap {
    std::size_t offset, length;
  };
  const Overlap overlaps[] = {{24, 16}, {32, 8}, {40, 8}, {56, 16}, {24, 48}, {32, 40}, {0, 64}};
  for (const Family family : kFamilies) {
    const FragmentMaker maker(100, family);
    for (const Overlap& overlap : overlaps) {
      Reassembler reassembler = fresh();
      EXPECT_EQ(accept(reassembler, maker.cut(32, 32)), std::nullopt);
      const auto refused = refusal(reassembler, maker.cut(overlap.offset, overlap.length));
      EXPECT_EQ(refused, FragmentRefusal{}) << overlap.offset;  // silently
      for (const auto& [offset, length] : {Overlap{0, 32}, {32, 32}, {64, 36}}) {
        EXPECT_EQ(refusal(reassembler, maker.cut(offset, length)).verdict,
                  Verdict::fragment_refused);
      }
    }
  }
}

TEST(Reassembler, TreatsTheSamePlaceWithOtherOctetsAsAnOverlap) {
  for (const Family family : kFamilies) {
    const FragmentMaker maker(64, family);
    FragmentMaker liar = maker;
    liar.payload[5] ^= 1;
    Reassembler reassembler = fresh();
    EXPECT_EQ(accept(reassembler, maker.cut(0, 32)), std::nullopt);
    refusal(reassembler, liar.cut(0, 32));
    refusal(reassembler, maker.cut(32, 32));
  }
}

TEST(Reassembler, DiscardsADatagramWithTwoEnds) {
  for (const Family family : kFamilies) {
    const FragmentMaker maker(100, family);
    const Octets all = maker.payload;
    const TestFragment end_at_64 = maker.make(32, Follows::nothing, all.subspan(32, 32));
    const TestFragment same_but_more = maker.cut(32, 32);
    const TestFragment beyond = maker.cut(64, 36);
    const TestFragment earlier_end = maker.make(8, Follows::nothing, all.subspan(8, 16));
    for (const TestFragment* second : {&same_but_more, &beyond, &earlier_end}) {
      for (const bool swapped : {false, true}) {
        Reassembler reassembler = fresh();
        EXPECT_EQ(accept(reassembler, swapped ? *second : end_at_64), std::nullopt);
        refusal(reassembler, swapped ? end_at_64 : *second);
      }
    }
  }
}

TEST(Reassembler, RefusesAFragmentOfNothing) {
  for (const Family family : kFamilies) {
    const FragmentMaker maker(64, family);
    Reassembler reassembler = fresh();
    refusal(reassembler, maker.make(32, Follows::more, {}));
    refusal(reassembler, maker.make(32, Follows::nothing, {}));
    EXPECT_EQ(reassembler.size(), 0u);
  }
}

// RFC 8200 §4.5: discarded, with a parameter problem that points to the payload length field.
TEST(Reassembler, RefusesALengthThatIsNoMultipleOfEight) {
  const FragmentMaker v4(100), v6(100, Family::ipv6);
  Reassembler reassembler = fresh();
  EXPECT_EQ(refusal(reassembler, v4.cut(0, 33)), FragmentRefusal{});
  const auto refused = refusal(reassembler, v6.cut(0, 33));
  EXPECT_EQ(refused.problem, (FragmentRefusal::Problem{0, 4}));
  EXPECT_EQ(reassembler.size(), 0u);
}

// RFC 8200 §4.5: ... that points to the fragment offset field. For IPv4 the "ping of death".
TEST(Reassembler, RefusesAFragmentThatReachesBeyond65535) {
  const FragmentMaker v4(100), v6(100, Family::ipv6);
  Reassembler reassembler = fresh();
  EXPECT_EQ(refusal(reassembler, v4.make(65512, Follows::nothing, Octets(v4.payload).first(4))),
            FragmentRefusal{});
  const auto refused =
      refusal(reassembler, v6.make(65528, Follows::nothing, Octets(v6.payload).first(8)));
  EXPECT_EQ(refused.problem, (FragmentRefusal::Problem{0, 42}));
  EXPECT_EQ(accept(reassembler, v4.make(65512, Follows::nothing, Octets(v4.payload).first(3))),
            std::nullopt);
  EXPECT_EQ(accept(reassembler, v6.make(65528, Follows::nothing, Octets(v6.payload).first(7))),
            std::nullopt);
}

// The header of the first fragment may be longer than that of the others.
TEST(Reassembler, RefusesAWholeThatItsFirstHeaderMakesTooLong) {
  const FragmentMaker maker(65528 + 7, Family::ipv6);
  TestFragment first = maker.cut(0, 32768);
  const std::vector<std::uint8_t> options = {wire::kProtocolFragment, 0, 1, 4, 0, 0, 0, 0};
  first.octets.insert(first.octets.begin() + 40, options.begin(), options.end());
  first.octets[6] = wire::kProtocolDestinationOptions;
  base::store_be16(&first.octets[4], 8 + 8 + 32768);
  Reassembler reassembler = fresh();
  EXPECT_EQ(accept(reassembler, maker.cut(32768, 32767)), std::nullopt);
  EXPECT_EQ(refusal(reassembler, first).verdict, Verdict::fragment_refused);
  EXPECT_EQ(reassembler.octets(), 0u);
}

// RFC 8200 §4.5 (RFC 7112), RFC 1858 §3: the first fragment has the transport's header.
TEST(Reassembler, RefusesAFirstFragmentWithoutTheTransportHeader) {
  FragmentMaker tcp4(100), tcp6(100, Family::ipv6);
  tcp4.header.protocol = wire::kProtocolTcp;
  tcp6.header.protocol = wire::kProtocolTcp;
  Reassembler reassembler = fresh();
  EXPECT_EQ(refusal(reassembler, tcp4.cut(0, 16)), FragmentRefusal{});
  EXPECT_EQ(refusal(reassembler, tcp6.cut(0, 16)).problem, (FragmentRefusal::Problem{3, 0}));
  EXPECT_EQ(accept(reassembler, tcp4.cut(0, 24)), std::nullopt);
  EXPECT_EQ(accept(reassembler, tcp6.cut(0, 24)), std::nullopt);
}

TEST(Reassembler, RefusesAFragmentedFragmentInIpv6) {
  FragmentMaker maker(100, Family::ipv6);
  maker.header.protocol = wire::kProtocolFragment;
  maker.payload[0] = wire::kProtocolUdp;
  maker.payload[2] = 0;
  maker.payload[3] = 1;  // more
  Reassembler reassembler = fresh();
  EXPECT_EQ(refusal(reassembler, maker.cut(0, 32)).verdict, Verdict::fragment_refused);
}

TEST(Reassembler, GivesUpAtTheLimitOfFragments) {
  const FragmentMaker maker(100 * 8);
  Reassembler reassembler(ReassemblerConfig{.fragments_per_datagram = 10});
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(accept(reassembler, maker.cut(i * 8, 8)), std::nullopt);
  }
  refusal(reassembler, maker.cut(80, 8));
  refusal(reassembler, maker.cut(0, 8));
}

// RFC 1122 §3.3.2, RFC 8200 §4.5: from the first-arriving fragment, however many follow.
TEST(Reassembler, GivesUpAfterTheTimeoutAndTellsOfTheFirstFragment) {
  for (const Family family : kFamilies) {
    const FragmentMaker maker(100, family);
    const TestFragment first = maker.cut(0, 32);
    Reassembler reassembler = fresh();
    EXPECT_EQ(reassembler.next_deadline(), kNever);
    accept(reassembler, maker.cut(32, 32));
    EXPECT_EQ(reassembler.next_deadline(), kStart + seconds(60));
    accept(reassembler, first, kStart + seconds(59));
    EXPECT_EQ(reassembler.next_deadline(), kStart + seconds(60));

    int told = 0;
    const auto tell = [&](const wire::IpPacket& packet) {
      ++told;
      EXPECT_TRUE(std::ranges::equal(packet.octets(), first.octets));
      EXPECT_EQ(packet.header.source, maker.header.source);
      EXPECT_EQ(packet.fragment->offset, 0u);
    };
    reassembler.expire(kStart + seconds(60) - Duration(1), tell);
    EXPECT_EQ(told, 0);
    reassembler.expire(kStart + seconds(60), tell);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(reassembler.size(), 0u);
    EXPECT_EQ(reassembler.octets(), 0u);
    EXPECT_EQ(reassembler.next_deadline(), kNever);
  }
}

TEST(Reassembler, IsSilentOnTimeoutWithoutTheFirstFragmentOrAfterAnOverlap) {
  const FragmentMaker headless(100);
  FragmentMaker spoiled(100);
  spoiled.identification = 8;
  Reassembler reassembler = fresh();
  accept(reassembler, headless.cut(32, 32));
  accept(reassembler, spoiled.cut(0, 32));
  refusal(reassembler, spoiled.cut(24, 32));
  reassembler.expire(kStart + seconds(60), [](const wire::IpPacket&) { ADD_FAILURE(); });
  EXPECT_EQ(reassembler.size(), 0u);
}

TEST(Reassembler, EvictsTheOldestAtTheLimitOfOctets) {
  Reassembler reassembler(ReassemblerConfig{.octets = 10'000});
  FragmentMaker maker(8000);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    maker.identification = id;
    accept(reassembler, maker.cut(0, 4000));
    EXPECT_LE(reassembler.octets(), 10'000u);
  }
  EXPECT_EQ(reassembler.size(), 2u);
  maker.identification = 3;
  expect_whole(maker, accept(reassembler, maker.cut(4000, 4000)));
  maker.identification = 1;  // its first half is gone
  EXPECT_EQ(accept(reassembler, maker.cut(4000, 4000)), std::nullopt);
}

TEST(Reassembler, RefusesWhatExceedsTheLimitAlone) {
  Reassembler reassembler(ReassemblerConfig{.octets = 1000});
  const FragmentMaker maker(8000);
  refusal(reassembler, maker.cut(0, 4000));
  EXPECT_EQ(reassembler.size(), 0u);
  EXPECT_EQ(reassembler.octets(), 0u);
}

// RFC 3168 §5.3.
// [RFC 3168 5.3-2, 5.3-3, 5.3-4, 5.3-5, 5.3-6]
TEST(Reassembler, CarriesCongestionMarksOver) {
  const auto joined = [](std::uint8_t first, std::uint8_t second, Family family) {
    FragmentMaker maker(64, family);
    Reassembler reassembler = fresh();
    maker.header.traffic_class = static_cast<std::uint8_t>(0xb8 | first);
    accept(reassembler, maker.cut(0, 32));
    maker.header.traffic_class = static_cast<std::uint8_t>(0xb8 | second);
    const auto result = reassembler.accept(kStart, maker.cut(32, 32).packet());
    return result ? std::optional(wire::parse_ip(**result)->header.traffic_class) : std::nullopt;
  };
  for (const Family family : kFamilies) {
    EXPECT_EQ(joined(wire::kEcnEct0, wire::kEcnCe, family), 0xb8 | wire::kEcnCe);
    EXPECT_EQ(joined(wire::kEcnCe, wire::kEcnEct1, family), 0xb8 | wire::kEcnCe);
    EXPECT_EQ(joined(wire::kEcnEct0, wire::kEcnEct0, family), 0xb8 | wire::kEcnEct0);
    EXPECT_EQ(joined(wire::kEcnNotEct, wire::kEcnNotEct, family), 0xb8);
    EXPECT_EQ(joined(wire::kEcnNotEct, wire::kEcnCe, family), std::nullopt);
    EXPECT_EQ(joined(wire::kEcnCe, wire::kEcnNotEct, family), std::nullopt);
  }
}

TEST(Reassembler, IsAValue) {
  const FragmentMaker maker(100);
  Reassembler reassembler = fresh();
  accept(reassembler, maker.cut(0, 32));
  Reassembler copy = reassembler;
  EXPECT_EQ(copy, reassembler);
  EXPECT_EQ(hash_of(copy), hash_of(reassembler));
  expect_whole(maker, [&] {
    accept(copy, maker.cut(32, 32));
    return accept(copy, maker.cut(64, 36));
  }());
  EXPECT_NE(copy, reassembler);
  EXPECT_NE(hash_of(copy), hash_of(reassembler));
  EXPECT_EQ(reassembler.size(), 1u);
}

/// What every fragment ever sent said, place by place.
class Sent {
 public:
  void add(std::uint32_t id, std::size_t offset, Octets data) {
    for (std::size_t i = 0; i < data.size(); ++i) said_[{id, offset + i}].push_back(data[i]);
  }
  bool holds(std::uint32_t id, std::size_t at, std::uint8_t octet) const {
    const auto found = said_.find({id, at});
    return found != said_.end() && std::ranges::find(found->second, octet) != found->second.end();
  }

 private:
  std::map<std::pair<std::uint32_t, std::size_t>, std::vector<std::uint8_t>> said_;
};

TEST(Reassembler, GivesOnlyOctetsThatWereSentAtTheirPlaceWhateverOverlaps) {
  base::Prng prng(3);
  int whole = 0;
  for (int round = 0; round < 3000; ++round) {
    Reassembler reassembler = fresh();
    Sent sent;
    FragmentMaker maker(64, kFamilies[round % 2]);
    for (int i = 0; i < 16; ++i) {
      // Mostly quarters of 64 octets, so that some datagrams come out whole; else anything.
      const bool quarter = prng.below(8) != 0;
      const std::size_t offset = quarter ? prng.below(4) * 16 : prng.below(8) * 8;
      const std::size_t most = (64 - offset) / 8;
      const std::size_t length = quarter ? 16 : 8 * (1 + prng.below(most));
      const Follows follows = offset + length < 64 ? Follows::more : Follows::nothing;
      if (prng.below(20) == 0) maker.payload[prng.below(64)] ^= 1;
      const Octets data = Octets(maker.payload).subspan(offset, length);
      sent.add(maker.identification, offset, data);
      const auto result = reassembler.accept(kStart, maker.make(offset, follows, data).packet());
      if (!result || !*result) continue;
      ++whole;
      const auto packet = wire::parse_ip(**result);
      ASSERT_TRUE(packet);
      for (std::size_t at = 0; at < packet->payload.size(); ++at) {
        ASSERT_TRUE(sent.holds(maker.identification, at, packet->payload[at])) << round;
      }
    }
  }
  EXPECT_GT(whole, 100);
}

TEST(Reassembler, StaysWithinItsLimitsUnderAFloodOfRandomFragments) {
  base::Prng prng(4);
  constexpr std::uint32_t kLimit = 100'000;
  Reassembler reassembler(ReassemblerConfig{.octets = kLimit, .fragments_per_datagram = 16});
  std::vector<FragmentMaker> makers = {FragmentMaker(3000), FragmentMaker(3000, Family::ipv6)};
  Instant now = kStart;
  for (int i = 0; i < 100'000; ++i) {
    FragmentMaker& maker = makers[prng.below(2)];
    maker.identification = static_cast<std::uint32_t>(prng.below(prng.below(20) == 0 ? 5 : 60'000));
    const std::size_t offset = prng.below(8192) * 8;
    const std::size_t length = prng.below(prng.below(4) == 0 ? 1400 : 64);
    const Follows follows = prng.below(3) != 0 ? Follows::more : Follows::nothing;
    const auto fragment = maker.make(offset, follows, Octets(maker.payload).first(length));
    (void)reassembler.accept(now, fragment.packet());
    ASSERT_LE(reassembler.octets(), kLimit);
    now += std::chrono::microseconds(prng.below(2000));
    if (prng.below(100) == 0) reassembler.expire(now, [](const wire::IpPacket&) {});
  }
  EXPECT_GT(reassembler.size(), 10u);
  reassembler.expire(now + seconds(60), [](const wire::IpPacket&) {});
  EXPECT_EQ(reassembler.size(), 0u);
  EXPECT_EQ(reassembler.octets(), 0u);
}

}  // namespace
}  // namespace estab::ip
