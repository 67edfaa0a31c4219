#include "drill/settings.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace estab::drill {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

/// The numbers of a value; Linux separates several by blanks.
using Numbers = std::vector<std::int64_t>;

Numbers numbers_in(std::string_view value) {
  Numbers numbers;
  const std::string text(value);
  const char* at = text.c_str();
  for (;;) {
    char* end = nullptr;
    const long long number = std::strtoll(at, &end, 0);
    if (end == at) return numbers;
    numbers.push_back(number);
    at = end;
  }
}

std::uint32_t octets(std::int64_t number) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(number, 1, 1 << 30));
}
std::uint8_t small(std::int64_t number) {
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(number, 0, 255));
}

using Apply = Applied (*)(StackConfig&, const Numbers&);

struct Setting {
  std::string_view name;
  Apply apply;
};

Applied set_switch(bool& setting, const Numbers& value) {
  setting = value[0] != 0;
  return Applied::yes;
}
template <class Unit>
Applied set_time(Duration& setting, const Numbers& value) {
  setting = Unit(std::clamp<std::int64_t>(value[0], 0, 1'000'000'000));
  return Applied::yes;
}
/// What the stack does anyway is nothing to be said; the contrary it cannot do.
Applied always_on(std::int64_t value) {
  return value != 0 ? Applied::harmless : Applied::refused;
}
Applied always_off(std::int64_t value) {
  return value == 0 ? Applied::harmless : Applied::refused;
}

/// The least shift with which a window of `most` octets can be told.
std::uint8_t shift_for(std::int64_t most) {
  std::uint8_t shift = 0;
  while (shift < 14 && (std::int64_t{65535} << shift) < most) ++shift;
  return shift;
}

// tcp_rmem and tcp_wmem: least, usual, most. Half of a receive buffer is kept for overhead.
Applied set_receive_memory(StackConfig& config, const Numbers& value) {
  if (value.size() != 3) return Applied::refused;
  config.tcp.receive_buffer = octets(value[1] / 2);
  config.tcp.window_scale = shift_for(value[2]);
  return Applied::yes;
}
Applied set_send_memory(StackConfig& config, const Numbers& value) {
  if (value.size() != 3) return Applied::refused;
  config.tcp.send_buffer = octets(value[1]);
  return Applied::yes;
}

/// How long `count` repetitions with doubling take, the last wait included.
Duration time_of_repetitions(Duration first, Duration longest, std::int64_t count) {
  Duration total{};
  for (std::int64_t i = 0; i <= std::clamp<std::int64_t>(count, 0, 64); ++i) {
    total += first;
    first = std::min(first * 2, longest);
  }
  return total;
}

// Both kernels: 0 not at all, 1 asked for, 2 accepted.
Applied set_ecn(StackConfig& config, const Numbers& value) {
  if (value[0] < 0 || value[0] > 2) return Applied::refused;
  config.tcp.ecn = value[0] == 0 ? Ecn::off : value[0] == 1 ? Ecn::request : Ecn::accept;
  config.tcp.accurate_ecn = Ecn::off;
  return Applied::yes;
}

// From 3 on, with AccECN for who asks for it: 3 asked for too, 4 RFC 3168 asked for, 5 nothing.
Applied set_linux_ecn(StackConfig& config, const Numbers& value) {
  if (value[0] < 3) return set_ecn(config, value);
  if (value[0] > 5) return Applied::refused;
  config.tcp.ecn = value[0] == 4 ? Ecn::request : Ecn::accept;
  config.tcp.accurate_ecn = value[0] == 3 ? Ecn::request : Ecn::accept;
  return Applied::yes;
}

// The same: 3 asked for, 4 accepted.
Applied set_freebsd_ecn(StackConfig& config, const Numbers& value) {
  if (value[0] < 3) return set_ecn(config, value);
  if (value[0] > 4) return Applied::refused;
  config.tcp.ecn = Ecn::accept;
  config.tcp.accurate_ecn = value[0] == 3 ? Ecn::request : Ecn::accept;
  return Applied::yes;
}

// Bits: 1 connecting is allowed, 4 without cookies; 0x200 listening without cookies, 0x400 without
// having to be asked for it. That it may be asked for at all (2) goes without saying.
Applied set_fast_open(StackConfig& config, const Numbers& value) {
  FastOpen& fast_open = config.tcp.fast_open;
  fast_open.connect = (value[0] & 1) != 0;
  fast_open.connect_cookies = (value[0] & 4) == 0;
  fast_open.cookies = (value[0] & 0x200) == 0;
  config.tcp.quirks.listen_opens_fast = (value[0] & 0x402) == 0x402;
  return Applied::yes;
}

constexpr Setting kLinux[] = {
    {"tcp_fastopen", set_fast_open},
    {"tcp_fastopen_blackhole_timeout_sec",
     [](StackConfig& c, const Numbers& v) { return set_time<seconds>(c.fast_open_pause, v); }},
    {"tcp_timestamps",
     [](StackConfig& c, const Numbers& v) { return set_switch(c.tcp.use_timestamps, v); }},
    {"tcp_sack", [](StackConfig& c, const Numbers& v) { return set_switch(c.tcp.use_sack, v); }},
    {"tcp_ecn", set_linux_ecn},
    {"tcp_ecn_fallback", [](StackConfig&, const Numbers& v) { return always_on(v[0]); }},
    {"tcp_window_scaling",
     [](StackConfig& c, const Numbers& v) { return set_switch(c.tcp.use_window_scale, v); }},
    {"tcp_slow_start_after_idle",
     [](StackConfig& c, const Numbers& v) { return set_switch(c.tcp.slow_start_after_idle, v); }},
    {"tcp_syncookies",
     [](StackConfig& c, const Numbers& v) { return set_switch(c.syn_cookies, v); }},
    {"tcp_rmem", set_receive_memory},
    {"tcp_wmem", set_send_memory},
    {"tcp_fin_timeout",
     [](StackConfig& c, const Numbers& v) {
       return set_time<seconds>(c.tcp.fin_wait_2_timeout, v);
     }},
    {"tcp_keepalive_time",
     [](StackConfig& c, const Numbers& v) { return set_time<seconds>(c.tcp.keep_alive.idle, v); }},
    {"tcp_keepalive_intvl",
     [](StackConfig& c, const Numbers& v) {
       return set_time<seconds>(c.tcp.keep_alive.interval, v);
     }},
    {"tcp_keepalive_probes",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.keep_alive.probes = small(v[0]);
       return Applied::yes;
     }},
    {"tcp_retries2",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.r2 = time_of_repetitions(c.tcp.rto_min, c.tcp.rto_max, v[0]);
       return Applied::yes;
     }},
    {"tcp_syn_retries",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.r2_syn = time_of_repetitions(c.tcp.rto_initial, c.tcp.rto_max, v[0]);
       return Applied::yes;
     }},
    {"tcp_rto_min_us",
     [](StackConfig& c, const Numbers& v) {
       return set_time<std::chrono::microseconds>(c.tcp.rto_min, v);
     }},
    {"tcp_rto_max_ms",
     [](StackConfig& c, const Numbers& v) { return set_time<milliseconds>(c.tcp.rto_max, v); }},
    {"ip_default_ttl",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.ttl = small(v[0]);
       return Applied::yes;
     }},
    {"tcp_challenge_ack_limit", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"tcp_min_tso_segs",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.quirks.least_burst = small(std::max<std::int64_t>(v[0], 1));
       return Applied::yes;
     }},
    {"tcp_tso_win_divisor", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"tcp_autocorking", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"tcp_no_metrics_save", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"tcp_moderate_rcvbuf", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"tcp_invalid_ratelimit", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"tcp_dsack", [](StackConfig&, const Numbers& v) { return always_on(v[0]); }},
    {"tcp_rfc1337",
     [](StackConfig& c, const Numbers& v) { return set_switch(c.time_wait_ignores_resets, v); }},
    {"tcp_stdurg", [](StackConfig&, const Numbers& v) { return always_on(v[0]); }},
    {"tcp_abort_on_overflow", [](StackConfig&, const Numbers& v) { return always_off(v[0]); }},
    {"tcp_mtu_probing", [](StackConfig&, const Numbers& v) { return always_off(v[0]); }},
};

// Below net.inet.tcp.
constexpr Setting kFreeBsd[] = {
    {"rfc1323",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.use_window_scale = v[0] == 1 || v[0] == 2;
       c.tcp.use_timestamps = v[0] == 1 || v[0] == 3;
       return Applied::yes;
     }},
    {"sack.enable", [](StackConfig& c, const Numbers& v) { return set_switch(c.tcp.use_sack, v); }},
    {"ecn.enable", set_freebsd_ecn},
    {"recvspace",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.receive_buffer = octets(v[0]);
       return Applied::yes;
     }},
    {"sendspace",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.send_buffer = octets(v[0]);
       return Applied::yes;
     }},
    {"delacktime",
     [](StackConfig& c, const Numbers& v) { return set_time<milliseconds>(c.tcp.delayed_ack, v); }},
    {"delayed_ack",
     [](StackConfig& c, const Numbers& v) {
       if (v[0] == 0) c.tcp.delayed_ack = Duration::zero();
       return Applied::yes;
     }},
    {"rexmit_initial",
     [](StackConfig& c, const Numbers& v) { return set_time<milliseconds>(c.tcp.rto_initial, v); }},
    {"rexmit_min", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"rexmit_slop", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"msl", [](StackConfig& c, const Numbers& v) { return set_time<milliseconds>(c.msl, v); }},
    {"keepidle", [](StackConfig& c,
                    const Numbers& v) { return set_time<milliseconds>(c.tcp.keep_alive.idle, v); }},
    {"keepintvl",
     [](StackConfig& c, const Numbers& v) {
       return set_time<milliseconds>(c.tcp.keep_alive.interval, v);
     }},
    {"keepcnt",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.keep_alive.probes = small(v[0]);
       return Applied::yes;
     }},
    {"keepinit",
     [](StackConfig& c, const Numbers& v) { return set_time<milliseconds>(c.tcp.r2_syn, v); }},
    {"finwait2_timeout",
     [](StackConfig& c, const Numbers& v) {
       return set_time<milliseconds>(c.tcp.fin_wait_2_timeout, v);
     }},
    {"syncookies", [](StackConfig& c, const Numbers& v) { return set_switch(c.syn_cookies, v); }},
    {"initcwnd_segments",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.initial_window_segments = octets(v[0]);
       return Applied::yes;
     }},
    {"always_keepalive",
     [](StackConfig& c, const Numbers& v) { return set_switch(c.tcp.keep_alive.enabled, v); }},
    {"tolerate_missing_ts",
     [](StackConfig& c, const Numbers& v) {
       c.tcp.require_timestamps = v[0] == 0;
       return Applied::yes;
     }},
    {"hostcache.purgenow", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"hostcache.purge", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"rexmit_drop_options", [](StackConfig&, const Numbers& v) { return always_off(v[0]); }},
    {"drop_synfin",
     [](StackConfig& c, const Numbers& v) { return set_switch(c.tcp.quirks.drop_syn_fin, v); }},
    {"insecure_rst", [](StackConfig&, const Numbers& v) { return always_off(v[0]); }},
    {"insecure_syn", [](StackConfig&, const Numbers& v) { return always_off(v[0]); }},
    {"blackhole", [](StackConfig&, const Numbers& v) { return always_off(v[0]); }},
    {"rfc3042", [](StackConfig&, const Numbers& v) { return always_on(v[0]); }},
    {"rfc3390", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"rfc3465", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"icmp_may_rst", [](StackConfig&, const Numbers& v) { return always_on(v[0]); }},
    {"path_mtu_discovery", [](StackConfig&, const Numbers& v) { return always_on(v[0]); }},
    {"pmtud_blackhole_detection", [](StackConfig&, const Numbers& v) { return always_off(v[0]); }},
    {"tso", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"log_in_vain", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
    {"nolocaltimewait", [](StackConfig&, const Numbers&) { return Applied::harmless; }},
};

constexpr std::string_view kLinuxPrefix = "net.ipv4.";
constexpr std::string_view kFreeBsdPrefix = "net.inet.tcp.";

// Four words of 32 bits in hexadecimal digits, and perhaps four more behind a comma: the lowest
// octet of each word comes first.
Applied set_fast_open_keys(StackConfig& config, std::string_view value) {
  std::vector<FastOpenKey> keys;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string text(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    std::array<unsigned, 4> words;
    if (std::sscanf(text.c_str(), "%x-%x-%x-%x", words.data(), &words[1], &words[2], &words[3]) !=
        4)
      return Applied::refused;
    FastOpenKey& key = keys.emplace_back();
    for (std::size_t i = 0; i < key.size(); ++i)
      key[i] = static_cast<std::uint8_t>(words[i / 4] >> i % 4 * 8);
  }
  if (keys.empty() || keys.size() > 2) return Applied::refused;
  config.tcp.fast_open.keys = std::move(keys);
  return Applied::yes;
}

}  // namespace

Applied apply_setting(StackConfig& config, std::string_view name, std::string_view value) {
  if (name == "net.ipv4.tcp_fastopen_key") return set_fast_open_keys(config, value);
  const Numbers numbers = numbers_in(value);
  const auto apply = [&](auto& table, std::string_view rest) {
    for (const Setting& setting : table)
      if (setting.name == rest) {
        if (numbers.empty()) return Applied::refused;
        return setting.apply(config, numbers);
      }
    return Applied::unknown;
  };
  if (name.starts_with(kLinuxPrefix)) return apply(kLinux, name.substr(kLinuxPrefix.size()));
  if (name.starts_with(kFreeBsdPrefix)) return apply(kFreeBsd, name.substr(kFreeBsdPrefix.size()));
  if (name == "kern.ipc.maxsockbuf") return Applied::harmless;
  return Applied::unknown;
}

bool is_freebsd_setting(std::string_view name) {
  return name.starts_with("net.inet.") || name.starts_with("net.inet6.") ||
         name.starts_with("kern.ipc.");
}

}  // namespace estab::drill
