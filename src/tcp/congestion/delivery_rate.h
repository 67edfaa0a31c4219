// DeliveryRate: how fast the network delivers, estimated for each ACK (draft-ietf-ccwg-bbr §4.1).
// Between the moment a segment was sent and the moment it was acknowledged a known number of octets
// was delivered; that number over that time is a sample of the rate.
//
// Law: the time is the longer of two, for sending this flight and for having it acknowledged, since
// nothing is delivered faster than it was sent. A sample taken while the application had nothing to
// send says so for a whole round trip.
//
// The sender keeps a DeliverySnapshot in the record of each transmission and calls on_sent for each
// transmission; for an ACK, on_delivered for each record that it delivers, then finish.
#pragma once

#include <cstdint>

#include "estab/time.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp::congestion {

/// What was known when a segment was sent: the draft's per-packet state. Counters are kept modulo
/// 2^32, since far less is delivered while one transmission is outstanding.
struct DeliverySnapshot {
  Instant delivered_time{};        // P.delivered_time
  Instant first_sent_time{};       // P.first_send_time
  std::uint32_t delivered = 0;     // P.delivered
  std::uint32_t lost = 0;          // P.lost
  std::uint32_t tx_in_flight = 0;  // P.tx_in_flight: the segment itself included
  bool app_limited = false;        // P.is_app_limited
  friend bool operator==(const DeliverySnapshot&, const DeliverySnapshot&) = default;
};

/// What one ACK says (RS).
struct RateSample {
  std::uint64_t rate = 0;             ///< octets a second; 0: this ACK gives no sample
  std::uint64_t prior_delivered = 0;  ///< total delivered when the newest of these was sent
  std::uint64_t delivered = 0;        ///< octets, over the interval
  std::uint32_t lost = 0;             ///< octets taken for lost since the newest was sent
  std::uint32_t tx_in_flight = 0;     ///< in flight when the newest was sent, itself included
  Duration interval{};
  bool has_data = false;  ///< something was delivered; else nothing of the above holds
  bool app_limited = false;
};

/// A transmission that is taken for lost.
struct LostPacket {
  Instant now{};
  std::uint32_t octets = 0;
  std::uint32_t tx_in_flight = 0;  ///< in flight when it was sent, itself included
  std::uint32_t lost = 0;          ///< octets taken for lost since it was sent, itself included
  bool app_limited = false;
  std::uint64_t total_delivered = 0;
};

class DeliveryRate {
 public:
  std::uint64_t delivered() const { return delivered_; }  ///< C.delivered
  std::uint64_t lost() const { return lost_; }            ///< C.lost
  bool is_app_limited() const { return app_limited_ != 0; }

  /// OnPacketSent. `in_flight` is what was in flight before these octets.
  DeliverySnapshot on_sent(Instant now, std::uint32_t octets, std::uint32_t in_flight);

  /// The samples of one ACK in the making. `newest_` tells which transmission it is taken from.
  class Gathering {
   private:
    friend class DeliveryRate;
    RateSample sample_;
    Duration send_elapsed_{}, ack_elapsed_{};
    Instant newest_{};               // sent_at of what the sample is taken from
    std::uint32_t lost_before_ = 0;  // P.lost of it
  };
  /// UpdateRateSample: the transmission sent at `sent_at` is acknowledged for the first time.
  /// Records of one time are handed over in the order of their octets.
  void on_delivered(Gathering& gathering, const DeliverySnapshot& snapshot, Instant sent_at,
                    std::uint32_t octets, Instant now);
  /// GenerateRateSample: when all that the ACK delivers and all that is lost because of it is
  /// known; once for each ACK.
  RateSample finish(const Gathering& gathering, Duration min_rtt);

  /// A transmission is taken for lost.
  LostPacket on_lost(const DeliverySnapshot& snapshot, std::uint32_t octets, Instant now);
  /// MarkConnectionAppLimited: the window and the pace would let octets go, but nothing is queued
  /// or to be sent again.
  void on_app_limited(std::uint32_t in_flight);

  friend bool operator==(const DeliveryRate&, const DeliveryRate&) = default;
  /// With nothing in flight the times decide nothing, and the next transmission forgets them.
  void hash_into(base::Hasher& hasher, std::uint32_t in_flight) const;
  /// A snapshot, seen from here.
  void hash_into(base::Hasher& hasher, const DeliverySnapshot& snapshot) const;

 private:
  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t app_limited_ = 0;  // samples are limited until more than this is delivered; 0: none
  Instant delivered_time_{};       // C.delivered_time
  Instant first_sent_time_{};      // C.first_send_time
};

}  // namespace estab::tcp::congestion
