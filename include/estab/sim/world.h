// World: estab::Host objects with a simulated network between them, in virtual time. The very
// client and server that run on a machine (coroutines, timeouts, when_any) run here, hours in no
// time, with no root and no sleeping, and everything follows from the seed:
//
//   TEST(Chat, SurvivesABadPath) {
//     sim::World world(7);
//     Host& server = world.add_host("server");
//     Host& client = world.add_host("client");
//     world.connect("client", "server", {.rate_bits_per_second = 1'000'000, .delay = 80ms,
//                                        .impairments = {.loss = 0.05}});
//     server.spawn(serve_chat(server), TaskKind::background);
//     client.spawn(chat(client, world.address("server")));
//     EXPECT_TRUE(world.run(1h));
//   }
//
// run(), block_on() and whatever else of a Host waits work too, called from outside: while one host
// waits, the others have their turns and time passes. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "estab/host.h"
#include "estab/sim/network.h"

namespace estab::sim {

class World {
 public:
  explicit World(std::uint64_t seed = 1);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// A host of that name, with an address (see address()) and a default route. It lives as long as
  /// the world, and must be connected before anything is sent. Its clock and seed are the world's:
  /// those of `options` do not count.
  Host& add_host(std::string_view name, HostOptions options = {});
  void add_router(std::string_view name);
  /// Connects two nodes by their names. A host has one link.
  /// Throws std::invalid_argument for a name that there is not, or a host that is connected
  /// already.
  LinkId connect(std::string_view a, std::string_view b, const LinkConfig& both_ways);
  LinkId connect(std::string_view a, std::string_view b, const LinkConfig& from_a,
                 const LinkConfig& from_b);

  /// Throws std::invalid_argument for a name that there is not.
  NodeId node(std::string_view name) const;
  IpAddress address(std::string_view name, Family family = Family::ipv4) const;
  /// The links, counters and taps.
  Network& network();

  Instant now() const;
  /// Until no host has a foreground task left; false if `limit` came first, or nothing will happen
  /// any more (every task waits for what nobody will do). An exception that leaves a task comes out
  /// here, as from Host::run().
  bool run(Duration limit = kForever);
  /// Lets so much time pass, whatever the tasks.
  void run_for(Duration time);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab::sim
