// What the stack does by default under each profile, and where that comes from.

#include "estab/posix.h"

namespace estab::posix {

namespace {

using std::chrono_literals::operator""ms, std::chrono_literals::operator""s,
    std::chrono_literals::operator""min;

StackConfig rfc_config() {
  StackConfig config;
  config.msl = 2min;  // RFC 9293 §3.4.2
  config.tcp.receive_buffer = config.tcp.send_buffer = 1 << 20;
  config.tcp.rto_min = 1s;         // RFC 6298 (2.4)
  config.tcp.delayed_ack = 200ms;  // RFC 5681 §4.2: within 500 ms
  config.tcp.quick_acks = 0;
  config.tcp.congestion_control = CongestionControl::new_reno;  // RFC 5681
  config.tcp.pacing = false;
  config.tcp.tail_loss_probe = false;  // RFC 8985 §7 may be left out
  config.tcp.detect_black_holes = false;
  config.tcp.require_timestamps = true;  // RFC 7323 §3.2
  return config;
}

// net.ipv4.tcp_* as its kernel has them, and as packetdrill's common/defaults.sh sets them.
StackConfig linux_config() {
  StackConfig config;
  TcpConfig& tcp = config.tcp;
  config.msl = 30s;             // TCP_TIMEWAIT_LEN is 60 s
  tcp.receive_buffer = 270000;  // half of tcp_rmem's 540000: the rest is kept for overhead
  tcp.send_buffer = 262144;     // tcp_wmem
  tcp.window_scale = 8;
  tcp.slow_start_after_idle = false;
  tcp.quirks = {.push_bursts = true, .drop_syn_fin = true, .ack_releases_more = true};
  tcp.tail_loss_probe = true;                         // tcp_early_retrans = 3
  tcp.congestion_control = CongestionControl::cubic;  // its default
  tcp.pacing = false;              // without the queue discipline fq nothing paces but bbr
  tcp.detect_black_holes = false;  // tcp_mtu_probing = 0
  tcp.urgent_inline = false;
  tcp.accurate_ecn = Ecn::off;  // tcp_ecn = 2 answers requests for RFC 3168 alone
  tcp.delayed_ack = 40ms;
  tcp.quick_acks = 16;
  tcp.rto_min = 200ms;
  tcp.r2 = 924600ms;  // tcp_retries2 = 15, from an RTO of 200 ms on
  tcp.r2_syn = 63s;   // tcp_syn_retries = tcp_synack_retries = 5
  tcp.fin_wait_2_timeout = 60s;
  tcp.fast_open.connect = true;        // tcp_fastopen = 1: whoever asks for it may
  config.fast_open_pause = 0s;         // tcp_fastopen_blackhole_timeout_sec = 0
  tcp.soft_errors_end_opening = true;  // tcp_v4_err, tcp_v6_err in SYN-SENT
  return config;
}

StackConfig freebsd_config() {
  StackConfig config;
  TcpConfig& tcp = config.tcp;
  config.msl = 30s;                        // net.inet.tcp.msl
  config.time_wait_ignores_resets = true;  // tcp_twcheck
  tcp.require_timestamps = true;           // net.inet.tcp.tolerate_missing_ts
  tcp.receive_buffer = 65536;              // net.inet.tcp.recvspace
  tcp.send_buffer = 32768;                 // net.inet.tcp.sendspace
  tcp.ecn = Ecn::accept;                   // net.inet.tcp.ecn.enable = 2
  tcp.accurate_ecn = Ecn::off;             // the same
  tcp.window_scale = 6;                    // from kern.ipc.maxsockbuf = 2 MiB
  tcp.urgent_inline = false;
  tcp.congestion_control = CongestionControl::new_reno;  // net.inet.tcp.cc.algorithm
  tcp.pacing = false;
  tcp.tail_loss_probe = false;
  tcp.detect_black_holes = false;
  tcp.delayed_ack = 40ms;  // net.inet.tcp.delacktime
  tcp.quick_acks = 0;
  tcp.rto_min = 230ms;  // rexmit_min of 30 ms and rexmit_slop of 200 ms
  tcp.rto_max = 64s;
  tcp.r2_syn = 75s;  // net.inet.tcp.keepinit
  tcp.fin_wait_2_timeout = 60s;
  return config;
}

}  // namespace

StackConfig stack_config(Profile profile) {
  switch (profile) {
    case Profile::rfc:
      return rfc_config();
    case Profile::linux_:
      return linux_config();
    case Profile::freebsd:
      return freebsd_config();
  }
  return {};
}

}  // namespace estab::posix
