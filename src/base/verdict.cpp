// The verdicts by the names of their enumerators.
#include "estab/verdict.h"

#include <array>

#include "base/named.h"

namespace estab {
namespace {

constexpr auto kVerdicts = std::to_array<base::Named<Verdict>>({
    {Verdict::accepted, "accepted"},
    {Verdict::predicted, "predicted"},
    {Verdict::answered_reset, "answered_reset"},
    {Verdict::no_connection, "no_connection"},
    {Verdict::out_of_window, "out_of_window"},
    {Verdict::paws, "paws"},
    {Verdict::missing_timestamp, "missing_timestamp"},
    {Verdict::reset_accepted, "reset_accepted"},
    {Verdict::reset_challenged, "reset_challenged"},
    {Verdict::reset_ignored, "reset_ignored"},
    {Verdict::syn_challenged, "syn_challenged"},
    {Verdict::no_ack_bit, "no_ack_bit"},
    {Verdict::ack_unacceptable, "ack_unacceptable"},
    {Verdict::data_after_close, "data_after_close"},
    {Verdict::time_wait_acked, "time_wait_acked"},
    {Verdict::time_wait_reopened, "time_wait_reopened"},
    {Verdict::syn_queued, "syn_queued"},
    {Verdict::syn_opened, "syn_opened"},
    {Verdict::syn_cookie_sent, "syn_cookie_sent"},
    {Verdict::syn_dropped, "syn_dropped"},
    {Verdict::syn_held, "syn_held"},
    {Verdict::handshake_completed, "handshake_completed"},
    {Verdict::datagram, "datagram"},
    {Verdict::echo_answered, "echo_answered"},
    {Verdict::icmp, "icmp"},
    {Verdict::fragment_held, "fragment_held"},
    {Verdict::fragment_refused, "fragment_refused"},
    {Verdict::malformed, "malformed"},
    {Verdict::bad_checksum, "bad_checksum"},
    {Verdict::bad_address, "bad_address"},
    {Verdict::not_for_us, "not_for_us"},
    {Verdict::no_interface, "no_interface"},
    {Verdict::unknown_protocol, "unknown_protocol"},
    {Verdict::port_unreachable, "port_unreachable"},
    {Verdict::queue_full, "queue_full"},
});
static_assert(base::is_complete(kVerdicts, kVerdictCount));

}  // namespace

std::string_view name(Verdict verdict) {
  return base::name_in(kVerdicts, verdict);
}

}  // namespace estab
