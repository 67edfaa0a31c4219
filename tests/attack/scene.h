// A server under attack: its stack, a good client on another, and an attacker who puts any frame on
// the wire to the server (or, off the path, to the client) and sees only what is sent to addresses
// that are nobody else's. Time is virtual.
//
//   Scene scene;
//   GoodClient good(scene);
//   for (...) scene.inject(forged(...));        // and scene.pass(1ms) now and then
//   EXPECT_TRUE(good.finish(10s)) << good.story();
//
// Between the server and the good client a frame is a millisecond on its way; the attacker is near.
//
// The server's application echoes on port 80 whatever its clients send, save those of `holds`.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/stack.h"

#include "base/prng.h"

namespace estab::attack {

using std::chrono_literals::operator""s, std::chrono_literals::operator""ms,
    std::chrono_literals::operator""us;
using Bytes = std::vector<std::uint8_t>;

inline constexpr IpAddress kServer = IpAddress::v4(10, 0, 0, 1),
                           kClient = IpAddress::v4(10, 0, 0, 2);
/// Everything else in 10.0.0.0/8 is the attacker's to use.
inline constexpr std::uint16_t kEcho = 80;
/// How many frames of a flood a test can afford: all in a release, a part under sanitizers.
constexpr std::uint64_t scaled(std::uint64_t frames) {
  return frames / ESTAB_ATTACK_DIVISOR;
}

struct SceneOptions {
  StackConfig server{};
  std::uint32_t backlog = 128;
  SceneOptions() { server.seed = {11, 12}; }
};

class Scene {
 public:
  explicit Scene(const SceneOptions& options = {});

  Stack& server() { return server_; }
  Stack& client() { return client_; }
  Instant now() const { return now_; }
  ListenerId listener() const { return listener_; }
  const StackCounters& counters() const { return server_.counters(); }

  /// A frame for the server, or one for the client, from nobody knows where.
  Verdict inject(const Bytes& frame);
  Verdict inject_to_client(const Bytes& frame);
  /// Carries frames, lets both applications work and timers fire, for so long.
  void pass(Duration span);
  /// What the server sent to neither itself nor the client since the last call.
  std::vector<Bytes> take_sent();
  std::uint64_t attacker_frames() const { return attacker_frames_; }
  std::uint64_t attacker_octets() const { return attacker_octets_; }
  /// Of what goes to the attacker only the number is kept from here on.
  void count_only() { keep_ = false; }

  /// What the server's application does with a connection, instead of echoing.
  std::function<bool(StreamId)> instead_of_echo;
  /// Until set, nobody accepts.
  bool accepting = true;
  /// Frames from the client to the server, or back, that the wire loses.
  std::function<bool(const Bytes&)> loses;
  std::vector<StreamId>& streams() { return streams_; }

 private:
  struct InFlight {
    Instant arrives;
    bool to_server;
    Bytes octets;
  };
  void serve();
  bool arrivals();
  void echo(StreamId stream);
  bool carry();

  Stack server_, client_;
  InterfaceId server_link_, client_link_;
  ListenerId listener_;
  Instant now_{std::chrono::hours(1)};
  std::vector<StreamId> streams_;
  std::vector<Bytes> sent_;
  std::uint64_t attacker_frames_ = 0, attacker_octets_ = 0;
  bool keep_ = true;
  std::deque<InFlight> in_flight_;
  Instant client_turn_ = kNever;  // when the good client wants to send again
  friend class GoodClient;
  std::function<void()> client_works_;
};

/// Connects, sends octets and wants to have them all back, in order.
class GoodClient {
 public:
  /// It sends so many octets every millisecond, and no more.
  explicit GoodClient(Scene& scene, std::size_t octets = 100'000, std::size_t pace = 1 << 20);
  GoodClient(const GoodClient&) = delete;
  GoodClient& operator=(const GoodClient&) = delete;
  ~GoodClient();
  bool connected() const { return connected_at_.has_value(); }
  bool done() const { return received_ == octets_; }
  /// Lets time pass until it is done, and has closed; false if it is not by then.
  bool finish(Duration limit);
  Duration connect_time() const { return *connected_at_ - began_; }
  Duration whole_time() const { return done_at_ - began_; }
  StreamId stream() const { return stream_; }
  std::size_t received() const { return received_; }
  std::string story() const;

 private:
  void work();
  Scene& scene_;
  std::size_t octets_, pace_, sent_ = 0, received_ = 0;
  StreamId stream_;
  Instant began_, done_at_{};
  std::optional<Instant> connected_at_;
  bool spoiled_ = false;
  std::optional<Error> failure_;
};

// ---- forging

/// A datagram with a TCP segment, every checksum right.
Bytes forged(const Endpoint& from, const Endpoint& to, Segment segment);
Bytes forged_udp(const Endpoint& from, const Endpoint& to, Octets text);
Bytes forged_icmp(const IpAddress& from, const IpAddress& to, std::uint8_t type, std::uint8_t code,
                  std::uint32_t rest, Octets quoted);
/// The IPv4 fragment of `whole` (what stands behind the IP header).
Bytes forged_fragment(const IpAddress& from, std::uint16_t id, std::uint16_t offset, bool more,
                      Octets text, std::uint8_t protocol = 17);

/// What one of the server's frames says.
struct Seen {
  IpAddress to;
  Segment segment;  ///< without its payload
  std::uint32_t payload = 0;
};
std::optional<Seen> seen(const Bytes& frame);

/// What a host's SYN offers.
struct Offer {
  std::uint16_t mss = 1460;
  std::optional<std::uint8_t> window_scale{};
  bool sack_permitted = false;
  std::optional<TcpTimestamps> timestamps{};
};

/// A host of the attacker's that speaks TCP as it likes: it opens properly, then does what it
/// wants.
class Mallory {
 public:
  Mallory(Scene& scene, IpAddress address, std::uint16_t port, const Offer& offer = {},
          std::uint16_t window = 65535);
  bool open() const { return open_; }
  /// One segment; the numbers go on by what it holds.
  void send(TcpFlags flags, Octets text = {});
  /// One segment as it is, with our ports.
  void send_raw(Segment segment);
  /// Takes in what the server sent to this host: notes its numbers.
  void hear();
  std::uint32_t next = 0;         ///< SND.NXT
  std::uint32_t acknowledge = 0;  ///< RCV.NXT: grows with hear()
  std::uint16_t window;
  std::uint32_t clock = 1;
  std::optional<std::uint32_t> echo;  ///< the server's timestamp, if it uses them
  std::uint64_t octets_heard = 0, segments_heard = 0;
  std::vector<Seen> heard;
  const Endpoint& here() const { return here_; }

 private:
  Scene& scene_;
  Endpoint here_;
  bool open_ = false;
};

/// One line of what a test measured, kept for docs/threat_model.md.
void figure(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace estab::attack
