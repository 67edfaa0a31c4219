// What can be asked of a connection and of a stack. Metrics carry the names that `ss -ti` and
// TCP_INFO use.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "estab/config.h"
#include "estab/state.h"
#include "estab/time.h"
#include "estab/verdict.h"

namespace estab {

/// What a sender is about, by the names Linux gives it.
enum class CaState : std::uint8_t {
  open,      ///< nothing suspicious
  disorder,  ///< something was SACKed, or an ACK repeated: a loss, or segments overtook each other
  cwr,       ///< the window comes down because the peer echoed a mark (RFC 3168)
  recovery,  ///< losses are being repaired, and the window comes down (fast recovery)
  loss,      ///< the retransmission timer ran out, and what is lost goes again
};
std::string_view name(CaState state);

/// What became of Fast Open (RFC 7413), as TCP_INFO tells it.
enum class FastOpenOutcome : std::uint8_t {
  unused,              ///< no octets went, or came, in the SYN; a server: without the right cookie
  taken,               ///< the SYN's octets were taken, every one (TCPI_OPT_SYN_DATA)
  cookie_unavailable,  ///< a client: there was no cookie yet, or the path was not to be tried
  data_not_acked,      ///< a client: the server acknowledged the SYN and not all of its octets
  syn_retransmitted,   ///< a client: the SYN had to be repeated, and then without
};
std::string_view name(FastOpenOutcome outcome);

struct TcpInfo {
  State state = State::closed;
  std::uint8_t retransmits = 0;  ///< of the oldest segment, since it was last acknowledged
  std::uint8_t backoff = 0;      ///< doublings of the RTO in force
  bool timestamps = false, sack = false, wscale = false, ecn = false;  ///< negotiated
  std::uint8_t snd_wscale = 0, rcv_wscale = 0;
  Duration rto{}, ato{};      ///< retransmission timeout; delayed-ACK timeout
  std::uint32_t snd_mss = 0;  ///< payload octets of a full segment, options deducted
  std::uint32_t advmss = 0;   ///< announced to the peer
  std::uint32_t pmtu = 0;
  Duration rtt{}, rttvar{},
      min_rtt{};  ///< smoothed round-trip time (RFC 6298); zero before the first sample
  std::uint32_t snd_cwnd = 0;      ///< octets
  std::uint32_t snd_ssthresh = 0;  ///< octets; 0xffffffff until the first loss
  std::uint32_t snd_wnd = 0;       ///< the peer's window, scaled
  std::uint32_t rcv_wnd = 0;       ///< the window last announced, scaled
  std::uint64_t bytes_acked = 0, bytes_received = 0, bytes_sent = 0, bytes_retrans = 0;
  std::uint64_t segs_out = 0, segs_in = 0;
  std::uint32_t data_segs_out = 0, data_segs_in = 0;  ///< with text; they wrap, as TCP_INFO's do
  std::uint64_t total_retrans = 0;                    ///< segments
  std::uint64_t notsent_bytes = 0;                    ///< queued, never sent
  std::uint64_t unacked_bytes = 0;                    ///< sent, not acknowledged
  FastOpenOutcome fast_open = FastOpenOutcome::unused;
  CaState ca_state = CaState::open;
  CongestionControl congestion_control = CongestionControl::cubic;
  std::uint64_t in_flight_bytes = 0;       ///< unacked_bytes less what is SACKed or taken for lost
  std::uint64_t sacked_bytes = 0;          ///< the peer has them, beyond a gap
  std::uint64_t lost_bytes = 0;            ///< taken for lost, and to be sent again
  std::uint64_t retrans_out_bytes = 0;     ///< sent again, and in flight
  std::uint64_t delivered = 0;             ///< octets, acknowledged or SACKed
  std::uint64_t delivery_rate = 0;         ///< octets a second, the last that was measured; 0: none
  bool delivery_rate_app_limited = false;  ///< then the application had too little to send
  bool accurate_ecn = false;               ///< the feedback is that of RFC 9768
  std::uint64_t delivered_ce = 0;          ///< packets sent that met congestion, as far as is known
  std::uint64_t received_ce = 0;           ///< packets received that had met it
  /// Payload octets by the mark with which the peer says they came (RFC 9768 §3.2.3).
  std::uint64_t delivered_e0_bytes = 0, delivered_e1_bytes = 0, delivered_ce_bytes = 0;
  /// The same of what was received.
  std::uint64_t received_e0_bytes = 0, received_e1_bytes = 0, received_ce_bytes = 0;
  std::uint64_t pacing_rate = 0;  ///< octets a second; ~0: not paced
  bool reord_seen = false;        ///< segments were seen to overtake each other
  Duration reordering_window{};   ///< RACK.reo_wnd (RFC 8985): how late a segment may be
  std::uint64_t dsack_dups = 0;   ///< duplicates the peer reported (RFC 2883)
  std::uint64_t recoveries = 0, timeouts = 0, tail_probes = 0;  ///< episodes; timers; probes sent
  std::uint64_t undone = 0;  ///< episodes that proved to be for nothing
  Duration busy{};           ///< with octets on their way or waiting to go
  Duration rwnd_limited{};   ///< of that: waiting for the peer's window
  Duration
      sndbuf_limited{};  ///< of that: all on their way, and the application had no room for more
  /// How long ago text was last sent, text last received, anything last received; zero: never.
  Duration last_data_sent{}, last_data_recv{}, last_ack_recv{};
  std::uint64_t recv_queue = 0;   ///< waiting for the application, in order
  std::uint64_t reord_bytes = 0;  ///< received out of order, waiting for a gap to fill
};

/// Totals since the stack was made.
struct StackCounters {
  std::array<std::uint64_t, kVerdictCount>
      verdicts{};  ///< frames and segments by what became of them
  std::uint64_t frames_in = 0, frames_out = 0, segments_in = 0, segments_out = 0;
  std::uint64_t retransmitted_segments = 0, resets_out = 0, challenge_acks_out = 0;
  std::uint64_t active_opens = 0, passive_opens = 0, failed_opens = 0, resets_in_established = 0;
  std::uint64_t syn_cookies_sent = 0, syn_cookies_accepted = 0, syn_cache_overflow = 0;
  /// Fast Open: SYNs whose octets were taken here, and by servers; cookies here that were not good;
  /// SYNs that came while FastOpen::pending was reached.
  std::uint64_t fast_opens_in = 0, fast_opens_out = 0, fast_open_bad_cookies = 0,
                fast_open_overflow = 0;
  std::uint64_t accept_queue_overflow = 0, time_wait_overflow = 0, replies_dropped = 0;
  std::uint64_t icmp_in = 0, icmp_out = 0, icmp_rate_limited = 0;
  std::uint64_t out_of_order_refused = 0;
  std::uint64_t buffer_growth_refused = 0;     ///< StackLimits::buffer_growth was reached
  std::uint64_t echo_replies_unsolicited = 0;  ///< answers to nothing that was asked: not told of
  std::uint64_t echo_events_dropped = 0;       ///< StackLimits::echo_events was reached
  std::uint64_t segments_without_route = 0;    ///< given up because no interface led anywhere
  std::uint64_t fragments_out = 0;             ///< frames that are part of a datagram
  std::uint64_t offers = 0;          ///< SYNs held for the application to decide (estab/forward.h)
  std::uint64_t offers_refused = 0;  ///< dropped, as one of the limits of StackLimits was reached
  std::uint64_t datagram_flows = 0, datagram_flows_refused = 0;  ///< begun; beyond the limits
  std::uint64_t offers_expired = 0;  ///< nobody decided, and the guest repeated them no more

  std::uint64_t of(Verdict verdict) const { return verdicts[static_cast<std::size_t>(verdict)]; }
  friend bool operator==(const StackCounters&, const StackCounters&) = default;
};

}  // namespace estab
