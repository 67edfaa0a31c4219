#include "drill/tcp_info_fields.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <linux/tcp.h>
#include <netinet/in.h>

#include "drill/symbols.h"
#include "posix/tcp_info.h"

namespace estab::drill {

struct TcpInfoFields::Info {
  tcp_info info{};
  posix::AccurateEcnInfo marks{};
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

#define ESTAB_FIELD(name)                                                                       \
  Field {                                                                                       \
    "tcpi_" #name, offsetof(posix::AccurateEcnInfo, name), sizeof(posix::AccurateEcnInfo::name) \
  }

constexpr Field kAccurateEcnFields[] = {
    ESTAB_FIELD(received_ce),        ESTAB_FIELD(delivered_e1_bytes),
    ESTAB_FIELD(delivered_e0_bytes), ESTAB_FIELD(delivered_ce_bytes),
    ESTAB_FIELD(received_e1_bytes),  ESTAB_FIELD(received_e0_bytes),
    ESTAB_FIELD(received_ce_bytes),
};

#undef ESTAB_FIELD

template <class Structure>
double number_at(const Structure& structure, const Field& field) {
  std::uint64_t number = 0;
  std::memcpy(&number, reinterpret_cast<const char*>(&structure) + field.offset, field.size);
  return static_cast<double>(number);
}

}  // namespace

TcpInfoFields::TcpInfoFields(posix::Sockets& sockets, Instant now, int descriptor)
    : info_(std::make_unique<Info>()) {
  std::array<std::uint8_t, posix::kAccurateEcnInfoAt + sizeof(posix::AccurateEcnInfo)> octets{};
  socklen_t length = sizeof octets;
  (void)sockets.getsockopt(now, descriptor, IPPROTO_TCP, TCP_INFO, octets.data(), &length);
  std::memcpy(&info_->info, octets.data(), std::min(sizeof info_->info, octets.size()));
  std::memcpy(&info_->marks, octets.data() + posix::kAccurateEcnInfoAt, sizeof info_->marks);
}

TcpInfoFields::~TcpInfoFields() = default;

std::optional<double> TcpInfoFields::find(std::string_view name) const {
  // Some fields share an octet with others.
  if (name == "tcpi_fastopen_client_fail")
    return static_cast<double>(info_->info.tcpi_fastopen_client_fail);
  if (name == "tcpi_snd_wscale") return static_cast<double>(info_->info.tcpi_snd_wscale);
  if (name == "tcpi_rcv_wscale") return static_cast<double>(info_->info.tcpi_rcv_wscale);
  for (const Field& field : kFields)
    if (field.name == name) return number_at(info_->info, field);
  for (const Field& field : kAccurateEcnFields)
    if (field.name == name) return number_at(info_->marks, field);
  if (const auto constant = symbol(name)) return static_cast<double>(*constant);
  return std::nullopt;
}

}  // namespace estab::drill
