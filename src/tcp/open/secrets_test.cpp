// What an outsider must not predict: that it depends on all it should, and on nothing else.
#include "tcp/open/secrets.h"

#include <set>

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

const std::array<std::uint64_t, 2> kSeed = {11, 22};

FourTuple tuple_v4() {
  return {IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2), 80, 4000};
}
FourTuple tuple_v6() {
  return {*IpAddress::parse("2001:db8::1"), *IpAddress::parse("2001:db8::2"), 80, 4000};
}

// The tuple with each part of it changed in turn.
std::vector<FourTuple> changes(const FourTuple& tuple) {
  std::vector<FourTuple> all(6, tuple);
  const bool v4 = tuple.local_address.is_v4();
  all[0].local_address = v4 ? IpAddress::v4(192, 0, 2, 3) : *IpAddress::parse("2001:db8:1::1");
  all[1].remote_address = v4 ? IpAddress::v4(193, 0, 2, 2) : *IpAddress::parse("2001:db8::1:2");
  all[2].local_port = 81;
  all[3].remote_port = 4001;
  all[4].local_port = tuple.remote_port;
  all[4].remote_port = tuple.local_port;
  all[5].local_address = tuple.remote_address;
  all[5].remote_address = tuple.local_address;
  return all;
}

template <class Of>
void expect_dependence(const FourTuple& tuple, Of of) {
  const Secrets secrets(kSeed);
  std::set<std::uint64_t> seen = {of(secrets, tuple)};
  EXPECT_EQ(of(Secrets(kSeed), tuple), *seen.begin());
  for (const FourTuple& other : changes(tuple)) seen.insert(of(secrets, other));
  seen.insert(of(Secrets({11, 23}), tuple));
  seen.insert(of(Secrets({12, 22}), tuple));
  EXPECT_EQ(seen.size(), 9u);
}

// [RFC 9293 MUST-9] [RFC 7323 7-1]
TEST(Secrets, DependOnEveryPartOfThePairAndOnTheSeed) {
  for (const FourTuple& tuple : {tuple_v4(), tuple_v6()}) {
    expect_dependence(tuple, [](const Secrets& secrets, const FourTuple& of) {
      return std::uint64_t{secrets.initial_sequence(of, Instant{}).value()};
    });
    expect_dependence(tuple, [](const Secrets& secrets, const FourTuple& of) {
      return std::uint64_t{secrets.timestamp_offset(of)};
    });
    expect_dependence(
        tuple, [](const Secrets& secrets, const FourTuple& of) { return secrets.flow_hash(of); });
    expect_dependence(tuple, [](const Secrets& secrets, const FourTuple& of) {
      return secrets.cookie_tag(of, SeqNum(1), 2, 3);
    });
  }
}

// One that is known (timestamps stand in every segment) must not give away another.
TEST(Secrets, OfOnePairAreUnrelatedToEachOther) {
  const Secrets secrets(kSeed);
  const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  const std::set<std::uint32_t> values = {
      secrets.initial_sequence(tuple_v4(), Instant{}).value(), secrets.timestamp_offset(tuple_v4()),
      low(secrets.flow_hash(tuple_v4())), low(secrets.cookie_tag(tuple_v4(), SeqNum(0), 0, 0)),
      secrets.port_offset(tuple_v4().local_address, tuple_v4().remote())};
  EXPECT_EQ(values.size(), 5u);
}

TEST(Secrets, OfACookieDependOnTheSynTheTimeAndTheMss) {
  const Secrets secrets(kSeed);
  std::set<std::uint64_t> tags;
  for (const std::uint32_t irs : {1u, 2u, 0xffffffffu})
    for (const std::uint64_t epoch : {0ull, 1ull, 1ull << 40})
      for (const std::uint8_t mss : {0, 1, 7})
        tags.insert(secrets.cookie_tag(tuple_v4(), SeqNum(irs), epoch, mss));
  EXPECT_EQ(tags.size(), 27u);
}

// RFC 6056 §3.3.3: a destination has one starting point, whatever port was used last.
TEST(Secrets, OfPortsDependOnTheDestinationAndTheLocalAddress) {
  const Secrets secrets(kSeed);
  const FourTuple base = tuple_v4();
  std::set<std::uint32_t> offsets = {secrets.port_offset(base.local_address, base.remote())};
  for (const FourTuple& tuple : changes(base))
    offsets.insert(secrets.port_offset(tuple.local_address, tuple.remote()));
  EXPECT_EQ(offsets.size(), 6u);  // the change of the local port alone makes no difference
}

}  // namespace
}  // namespace estab::tcp
