#include "posix/tcp_info.h"

#include <algorithm>
#include <cstring>

#include <linux/tcp.h>

namespace estab::posix {

namespace {

// The kernel's field has 32 bits: what does not fit is shown as the most that does.
template <class Integer>
std::uint32_t shown(Integer number) {
  constexpr std::uint32_t kMost = 0xffffffff;
  return static_cast<std::uint32_t>(std::clamp<Integer>(number, 0, kMost));
}

std::uint32_t microseconds(Duration duration) {
  return shown(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

std::uint32_t milliseconds(Duration duration) {
  return shown(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

std::uint64_t whole_microseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

std::uint32_t segments(std::uint64_t octets, std::uint32_t mss) {
  return mss == 0 ? 0 : shown((octets + mss - 1) / mss);
}

// enum tcp_fastopen_client_fail.
std::uint8_t client_fail(FastOpenOutcome outcome) {
  switch (outcome) {
    case FastOpenOutcome::unused:
    case FastOpenOutcome::taken:
      return TFO_STATUS_UNSPEC;
    case FastOpenOutcome::cookie_unavailable:
      return TFO_COOKIE_UNAVAILABLE;
    case FastOpenOutcome::data_not_acked:
      return TFO_DATA_NOT_ACKED;
    case FastOpenOutcome::syn_retransmitted:
      return TFO_SYN_RETRANSMITTED;
  }
  return TFO_STATUS_UNSPEC;
}

}  // namespace

std::uint8_t linux_state(State state) {
  switch (state) {
    case State::established:
      return 1;
    case State::syn_sent:
      return 2;
    case State::syn_received:
      return 3;
    case State::fin_wait_1:
      return 4;
    case State::fin_wait_2:
      return 5;
    case State::time_wait:
      return 6;
    case State::closed:
      return 7;
    case State::close_wait:
      return 8;
    case State::last_ack:
      return 9;
    case State::listen:
      return 10;
    case State::closing:
      return 11;
  }
  return 7;
}

std::vector<std::uint8_t> linux_tcp_info(const TcpInfo& info, State state) {
  tcp_info out{};
  out.tcpi_state = linux_state(state);
  out.tcpi_retransmits = info.retransmits;
  out.tcpi_backoff = info.backoff;
  out.tcpi_options = static_cast<std::uint8_t>(
      (info.timestamps ? TCPI_OPT_TIMESTAMPS : 0) | (info.sack ? TCPI_OPT_SACK : 0) |
      (info.wscale ? TCPI_OPT_WSCALE : 0) | (info.ecn ? TCPI_OPT_ECN : 0) |
      (info.fast_open == FastOpenOutcome::taken ? TCPI_OPT_SYN_DATA : 0));
  out.tcpi_fastopen_client_fail = client_fail(info.fast_open) & 3;
  out.tcpi_snd_wscale = info.snd_wscale & 15;
  out.tcpi_rcv_wscale = info.wscale ? info.rcv_wscale & 15 : 0;
  out.tcpi_rto = microseconds(info.rto);
  out.tcpi_ato = microseconds(info.ato);
  out.tcpi_snd_mss = info.snd_mss;
  out.tcpi_rcv_mss = std::min(info.advmss, info.snd_mss);
  out.tcpi_ca_state = static_cast<std::uint8_t>(info.ca_state);  // TCP_CA_Open to TCP_CA_Loss
  out.tcpi_sacked = segments(info.sacked_bytes, info.snd_mss);
  out.tcpi_lost = segments(info.lost_bytes, info.snd_mss);
  out.tcpi_retrans = segments(info.retrans_out_bytes, info.snd_mss);
  out.tcpi_delivered = segments(info.delivered, info.snd_mss) + (is_synchronized(state) ? 1 : 0);
  out.tcpi_delivered_ce = shown(info.delivered_ce);
  out.tcpi_delivery_rate = info.delivery_rate;
  out.tcpi_delivery_rate_app_limited = info.delivery_rate_app_limited;
  out.tcpi_dsack_dups = shown(info.dsack_dups);
  out.tcpi_reord_seen = info.reord_seen;
  out.tcpi_unacked = segments(info.unacked_bytes, info.snd_mss);
  out.tcpi_pmtu = info.pmtu;
  out.tcpi_rtt = microseconds(info.rtt);
  out.tcpi_rttvar = microseconds(info.rttvar);
  // Linux counts these windows in segments.
  constexpr std::uint32_t kInfinite = 0x7fffffff;
  out.tcpi_snd_ssthresh =
      info.snd_ssthresh == 0xffffffff ? kInfinite : info.snd_ssthresh / std::max(info.snd_mss, 1u);
  out.tcpi_snd_cwnd = info.snd_cwnd / std::max(info.snd_mss, 1u);
  out.tcpi_advmss = info.advmss;
  out.tcpi_reordering = 3;
  out.tcpi_rcv_ssthresh = out.tcpi_rcv_space = info.rcv_wnd;
  out.tcpi_total_retrans = shown(info.total_retrans);
  out.tcpi_pacing_rate = info.pacing_rate;
  out.tcpi_max_pacing_rate = ~std::uint64_t{0};
  out.tcpi_bytes_acked = info.bytes_acked;
  out.tcpi_bytes_received = info.bytes_received;
  out.tcpi_segs_out = shown(info.segs_out);
  out.tcpi_segs_in = shown(info.segs_in);
  out.tcpi_notsent_bytes = shown(info.notsent_bytes);
  out.tcpi_min_rtt = microseconds(info.min_rtt);
  out.tcpi_bytes_sent = info.bytes_sent;
  out.tcpi_bytes_retrans = info.bytes_retrans;
  out.tcpi_snd_wnd = info.snd_wnd;
  out.tcpi_data_segs_out = info.data_segs_out;
  out.tcpi_data_segs_in = info.data_segs_in;
  out.tcpi_busy_time = whole_microseconds(info.busy);
  out.tcpi_rwnd_limited = whole_microseconds(info.rwnd_limited);
  out.tcpi_sndbuf_limited = whole_microseconds(info.sndbuf_limited);
  out.tcpi_last_data_sent = milliseconds(info.last_data_sent);
  out.tcpi_last_data_recv = milliseconds(info.last_data_recv);
  out.tcpi_last_ack_recv = milliseconds(info.last_ack_recv);
  const AccurateEcnInfo marks{.received_ce = shown(info.received_ce),
                              .delivered_e1_bytes = shown(info.delivered_e1_bytes),
                              .delivered_e0_bytes = shown(info.delivered_e0_bytes),
                              .delivered_ce_bytes = shown(info.delivered_ce_bytes),
                              .received_e1_bytes = shown(info.received_e1_bytes),
                              .received_e0_bytes = shown(info.received_e0_bytes),
                              .received_ce_bytes = shown(info.received_ce_bytes)};
  std::vector<std::uint8_t> octets(kAccurateEcnInfoAt + sizeof marks);
  std::memcpy(octets.data(), &out, std::min(sizeof out, kAccurateEcnInfoAt));
  std::memcpy(octets.data() + kAccurateEcnInfoAt, &marks, sizeof marks);
  return octets;
}

}  // namespace estab::posix
