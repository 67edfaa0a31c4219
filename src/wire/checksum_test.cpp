#include "wire/checksum.h"

#include <gtest/gtest.h>

#include "wire/wire_test_support.h"

namespace estab::wire {
namespace {

// RFC 1071 §1 to the letter.
std::uint16_t naive_sum(Octets octets) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); ++i)
    sum += i % 2 == 0 ? std::uint64_t{octets[i]} << 8 : octets[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t sum_of(Octets octets) {
  OnesSum sum;
  sum.add(octets);
  return sum.folded();
}

// From a kernel's result to host order.
std::uint16_t fold_words(std::uint64_t words) {
  std::uint8_t memory[8];
  std::memcpy(memory, &words, 8);
  return naive_sum(memory);
}

TEST(Checksum, GivesTheNumbersOfTheExampleInRfc1071) {
  const OctetVector octets = from_hex("00 01 f2 03 f4 f5 f6 f7");
  EXPECT_EQ(sum_of(octets), 0xddf2);
  EXPECT_EQ(checksum(octets), 0x220d);
}

TEST(Checksum, OfNothingAndOfZerosIsAllOnes) {
  EXPECT_EQ(checksum({}), 0xffff);
  EXPECT_EQ(checksum(OctetVector(100, 0)), 0xffff);
  EXPECT_EQ(checksum(OctetVector(1000, 0)), 0xffff);
}

TEST(Checksum, AgreesWithTheNaiveSumAtEveryLengthAndAlignment) {
  Chance chance(1);
  const OctetVector octets = chance.octets(2200);
  for (std::size_t alignment = 0; alignment < 40; ++alignment)
    for (std::size_t length = 0; length < 700; ++length) {
      const Octets piece = Octets(octets).subspan(alignment, length);
      ASSERT_EQ(sum_of(piece), naive_sum(piece)) << alignment << " " << length;
    }
  for (std::size_t length = 700; length < 2100; ++length) {
    const Octets piece = Octets(octets).subspan(length % 64, length);
    ASSERT_EQ(sum_of(piece), naive_sum(piece)) << length;
  }
}

TEST(Checksum, LosesNoCarryWhenEveryBitIsSet) {
  for (const std::size_t length : {1U, 7U, 8U, 60U, 127U, 128U, 1460U, 65535U, 1U << 20}) {
    const OctetVector octets(length, 0xff);
    EXPECT_EQ(sum_of(octets), naive_sum(octets)) << length;
  }
}

TEST(Checksum, ReadsNothingOutsideThePiece) {
  Chance chance(2);
  for (std::size_t length = 0; length < 400; ++length) {
    const OctetVector octets = truncated(chance.octets(length), length);
    ASSERT_EQ(sum_of(octets), naive_sum(octets));
  }
}

TEST(Checksum, GoesThePortableWayWithTheSameResult) {
  Chance chance(3);
  const OctetVector octets = chance.octets(3000);
  OctetVector copy(3000);
  for (std::size_t length = 0; length < 2900; length += 1 + length / 16) {
    const Octets piece = Octets(octets).subspan(length % 37, length);
    ASSERT_EQ(fold_words(sum_octets_portable(piece.data(), length)), naive_sum(piece)) << length;
    ASSERT_EQ(fold_words(copy_and_sum_octets_portable(copy.data(), piece.data(), length)),
              naive_sum(piece))
        << length;
    ASSERT_TRUE(std::equal(piece.begin(), piece.end(), copy.begin()));
  }
}

TEST(Checksum, OfPiecesIsTheChecksumOfTheWholeWhereverItIsCut) {
  Chance chance(4);
  const OctetVector octets = chance.octets(3000);
  for (int round = 0; round < 5000; ++round) {
    const std::size_t length = chance.below(3000);
    const Octets whole = Octets(octets).first(length);
    OnesSum sum;
    for (Octets rest = whole; !rest.empty();) {
      const std::size_t cut = std::min<std::size_t>(rest.size(), chance.below(600));
      sum.add(rest.first(cut));
      rest = rest.subspan(cut);
    }
    ASSERT_EQ(sum.folded(), naive_sum(whole));
    ASSERT_EQ(sum.checksum(), static_cast<std::uint16_t>(~naive_sum(whole)));
  }
}

TEST(Checksum, CopiesWhileSummingAndTouchesNothingElse) {
  Chance chance(5);
  const OctetVector octets = chance.octets(1600);
  for (std::size_t length = 0; length < 1500; length += 1 + length / 40) {
    const Octets piece = Octets(octets).subspan(length % 50, length);
    for (std::size_t place = 1; place < 4; ++place) {
      OctetVector copy(length + 8, 0xa5);
      OnesSum sum;
      ASSERT_EQ(sum.add_copy(copy.data() + place, piece), naive_sum(piece));
      ASSERT_EQ(sum.folded(), naive_sum(piece));
      OctetVector expected(length + 8, 0xa5);
      std::copy(piece.begin(), piece.end(), expected.begin() + static_cast<std::ptrdiff_t>(place));
      ASSERT_EQ(copy, expected) << length;
    }
  }
}

TEST(Checksum, CopiesPiecesOfOddLengthAsIfTheyWereJoined) {
  Chance chance(6);
  const OctetVector octets = chance.octets(1000);
  OctetVector copy(1000);
  for (std::size_t cut = 0; cut <= 1000; ++cut) {
    OnesSum sum;
    sum.add_copy(copy.data(), Octets(octets).first(cut));
    sum.add_copy(copy.data() + cut, Octets(octets).subspan(cut));
    ASSERT_EQ(sum.folded(), naive_sum(octets));
    ASSERT_EQ(copy, octets);
  }
}

TEST(Checksum, AddsNumbersAsWordsAtEvenPlacesEvenAfterAnOddPiece) {
  OnesSum sum;
  sum.add(from_hex("01 02 03"));
  sum.add16(0x1234);
  sum.add32(0x89abcdef);
  sum.add(from_hex("04"));
  EXPECT_EQ(sum.folded(), naive_sum(from_hex("01 02 03 04 12 34 89 ab cd ef")));
}

TEST(Checksum, TakesThePseudoHeaderOfEitherFamilyBeforeOrAfterThePieces) {
  const OctetVector odd_piece = from_hex("01 02 03");
  const auto check = [&](const IpAddress& source, const IpAddress& destination,
                         const OctetVector& all) {
    OnesSum before, after;
    add_pseudo_header(before, source, destination, 17, 70000);
    before.add(odd_piece);
    after.add(odd_piece);
    add_pseudo_header(after, source, destination, 17, 70000);
    EXPECT_EQ(before.folded(), naive_sum(all));
    EXPECT_EQ(after.folded(), naive_sum(all));
  };
  check(IpAddress::v4(10, 0, 0, 1), IpAddress::v4(192, 168, 7, 9),
        from_hex("0a000001 c0a80709 00000011 00011170 010203"));
  Chance chance(7);
  const IpAddress source = chance.address(Family::ipv6), destination = chance.address(Family::ipv6);
  OctetVector all = to_vector(source.octets());
  all.insert(all.end(), destination.octets().begin(), destination.octets().end());
  for (const std::uint8_t octet : from_hex("00011170 00000011 010203")) all.push_back(octet);
  check(source, destination, all);
}

}  // namespace
}  // namespace estab::wire
