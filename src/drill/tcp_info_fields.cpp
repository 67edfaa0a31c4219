#include "drill/tcp_info_fields.h"

#include <cstring>

#include <linux/tcp.h>
#include <netinet/in.h>

#include "drill/symbols.h"

namespace estab::drill {

struct TcpInfoFields::Info {
  tcp_info info{};
};

namespace {

struct Field {
  std::string_view name;
  std::size_t offset, size;
};

#define ESTAB_FIELD(name)                                   \
  Field {                                                   \
    #name, offsetof(tcp_info, name), sizeof(tcp_info::name) \
  }

constexpr Field kFields[] = {
    ESTAB_FIELD(tcpi_state),         ESTAB_FIELD(tcpi_ca_state),
    ESTAB_FIELD(tcpi_retransmits),   ESTAB_FIELD(tcpi_probes),
    ESTAB_FIELD(tcpi_backoff),       ESTAB_FIELD(tcpi_options),
    ESTAB_FIELD(tcpi_rto),           ESTAB_FIELD(tcpi_ato),
    ESTAB_FIELD(tcpi_snd_mss),       ESTAB_FIELD(tcpi_rcv_mss),
    ESTAB_FIELD(tcpi_unacked),       ESTAB_FIELD(tcpi_sacked),
    ESTAB_FIELD(tcpi_lost),          ESTAB_FIELD(tcpi_retrans),
    ESTAB_FIELD(tcpi_fackets),       ESTAB_FIELD(tcpi_last_data_sent),
    ESTAB_FIELD(tcpi_last_ack_sent), ESTAB_FIELD(tcpi_last_data_recv),
    ESTAB_FIELD(tcpi_last_ack_recv), ESTAB_FIELD(tcpi_pmtu),
    ESTAB_FIELD(tcpi_rcv_ssthresh),  ESTAB_FIELD(tcpi_rtt),
    ESTAB_FIELD(tcpi_rttvar),        ESTAB_FIELD(tcpi_snd_ssthresh),
    ESTAB_FIELD(tcpi_snd_cwnd),      ESTAB_FIELD(tcpi_advmss),
    ESTAB_FIELD(tcpi_reordering),    ESTAB_FIELD(tcpi_rcv_rtt),
    ESTAB_FIELD(tcpi_rcv_space),     ESTAB_FIELD(tcpi_total_retrans),
    ESTAB_FIELD(tcpi_pacing_rate),   ESTAB_FIELD(tcpi_max_pacing_rate),
    ESTAB_FIELD(tcpi_bytes_acked),   ESTAB_FIELD(tcpi_bytes_received),
    ESTAB_FIELD(tcpi_segs_out),      ESTAB_FIELD(tcpi_segs_in),
    ESTAB_FIELD(tcpi_notsent_bytes), ESTAB_FIELD(tcpi_min_rtt),
    ESTAB_FIELD(tcpi_data_segs_in),  ESTAB_FIELD(tcpi_data_segs_out),
    ESTAB_FIELD(tcpi_delivery_rate), ESTAB_FIELD(tcpi_busy_time),
    ESTAB_FIELD(tcpi_rwnd_limited),  ESTAB_FIELD(tcpi_sndbuf_limited),
    ESTAB_FIELD(tcpi_delivered),     ESTAB_FIELD(tcpi_delivered_ce),
    ESTAB_FIELD(tcpi_bytes_sent),    ESTAB_FIELD(tcpi_bytes_retrans),
    ESTAB_FIELD(tcpi_dsack_dups),    ESTAB_FIELD(tcpi_reord_seen),
    ESTAB_FIELD(tcpi_rcv_ooopack),   ESTAB_FIELD(tcpi_snd_wnd),
};

#undef ESTAB_FIELD

std::uint64_t number_at(const tcp_info& info, const Field& field) {
  std::uint64_t number = 0;
  std::memcpy(&number, reinterpret_cast<const char*>(&info) + field.offset, field.size);
  return number;
}

}  // namespace

TcpInfoFields::TcpInfoFields(posix::Sockets& sockets, Instant now, int descriptor)
    : info_(std::make_unique<Info>()) {
  socklen_t length = sizeof info_->info;
  (void)sockets.getsockopt(now, descriptor, IPPROTO_TCP, TCP_INFO, &info_->info, &length);
}

TcpInfoFields::~TcpInfoFields() = default;

std::optional<double> TcpInfoFields::find(std::string_view name) const {
  // Some fields share an octet with others.
  if (name == "tcpi_fastopen_client_fail")
    return static_cast<double>(info_->info.tcpi_fastopen_client_fail);
  if (name == "tcpi_snd_wscale") return static_cast<double>(info_->info.tcpi_snd_wscale);
  if (name == "tcpi_rcv_wscale") return static_cast<double>(info_->info.tcpi_rcv_wscale);
  for (const Field& field : kFields)
    if (field.name == name) return static_cast<double>(number_at(info_->info, field));
  if (const auto constant = symbol(name)) return static_cast<double>(*constant);
  return std::nullopt;
}

}  // namespace estab::drill
