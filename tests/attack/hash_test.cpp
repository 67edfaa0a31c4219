// An attacker who chooses addresses and ports so that all his connections fall into one place of
// the table, as with a hash whose key he knows, and has every lookup walk through all of them.
#include <chrono>

#include "base/flat_index.h"
#include "scene.h"
#include "tcp/open/secrets.h"

namespace estab::attack {
namespace {

constexpr std::size_t kColliding = 2048;

/// Pairs of endpoints whose hashes under `known` agree in the bits that choose the place.
std::vector<FourTuple> colliding(const tcp::Secrets& known) {
  std::vector<FourTuple> tuples;
  FourTuple tuple{kServer, {}, kEcho, 0};
  for (std::uint32_t i = 0; tuples.size() < kColliding; ++i) {
    tuple.remote_address = IpAddress::v4(0x0a800000 + (i >> 15));
    tuple.remote_port = static_cast<std::uint16_t>(1024 + (i & 0x7fff));
    const std::uint64_t hash = known.flow_hash(tuple);
    if (static_cast<std::uint32_t>(hash * 0x9e3779b97f4a7c15 >> 32) >> 22 == 0)
      tuples.push_back(tuple);
  }
  return tuples;
}

std::size_t longest_search(const std::vector<FourTuple>& tuples, const tcp::Secrets& secrets) {
  base::FlatIndex index;
  for (std::uint32_t i = 0; i < tuples.size(); ++i) index.insert(secrets.flow_hash(tuples[i]), i);
  return index.longest_search();
}

TEST(HashFlooding, FillsOnePlaceOnlyOfATableWhoseSecretIsKnown) {
  const tcp::Secrets guessed({1, 2}), secret({3, 4});
  const std::vector<FourTuple> tuples = colliding(guessed);
  const std::size_t known = longest_search(tuples, guessed),
                    unknown = longest_search(tuples, secret);
  EXPECT_GT(known, kColliding / 2);  // the attack is one
  EXPECT_LT(unknown, 64u);           // and comes to nothing
  figure(
      "hash flooding: %zu tuples made to collide: the longest search is %zu slots if the secret "
      "is known, %zu as it is",
      kColliding, known, unknown);
}

TEST(HashFlooding, OfTheStackItselfLeavesAGoodClientAlone) {
  SceneOptions options;
  options.backlog = 4096;
  Scene scene(options);
  scene.count_only();
  for (const FourTuple& tuple : colliding(tcp::Secrets({1, 2}))) {
    Segment syn;
    syn.flags = kSyn;
    syn.window = 1000;
    scene.inject(forged(tuple.remote(), tuple.local(), syn));
  }
  EXPECT_EQ(scene.server().census().syn_cache, kColliding);
  GoodClient good(scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
}

}  // namespace
}  // namespace estab::attack
