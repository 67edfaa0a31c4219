// Send reasons and timers by the names of their enumerators.
#include <array>

#include "estab/info.h"
#include "estab/trace.h"

#include "base/named.h"

namespace estab {
namespace {

constexpr auto kSendReasons = std::to_array<base::Named<SendReason>>({
    {SendReason::open, "open"},
    {SendReason::open_reply, "open_reply"},
    {SendReason::open_complete, "open_complete"},
    {SendReason::data, "data"},
    {SendReason::fin, "fin"},
    {SendReason::urgent, "urgent"},
    {SendReason::ack_immediate, "ack_immediate"},
    {SendReason::ack_delayed, "ack_delayed"},
    {SendReason::ack_duplicate, "ack_duplicate"},
    {SendReason::ack_gap_filled, "ack_gap_filled"},
    {SendReason::ack_mark, "ack_mark"},
    {SendReason::ack_unacceptable, "ack_unacceptable"},
    {SendReason::window_update, "window_update"},
    {SendReason::retransmit_timeout, "retransmit_timeout"},
    {SendReason::retransmit_fast, "retransmit_fast"},
    {SendReason::retransmit_partial, "retransmit_partial"},
    {SendReason::retransmit_smaller, "retransmit_smaller"},
    {SendReason::retransmit_tail, "retransmit_tail"},
    {SendReason::zero_window_probe, "zero_window_probe"},
    {SendReason::keep_alive, "keep_alive"},
    {SendReason::challenge_ack, "challenge_ack"},
    {SendReason::time_wait_ack, "time_wait_ack"},
    {SendReason::reset_no_connection, "reset_no_connection"},
    {SendReason::reset_bad_ack, "reset_bad_ack"},
    {SendReason::reset_abort, "reset_abort"},
    {SendReason::reset_unread_data, "reset_unread_data"},
    {SendReason::reset_timeout, "reset_timeout"},
});
static_assert(base::is_complete(kSendReasons, static_cast<std::size_t>(SendReason::count_)));

constexpr auto kTimers = std::to_array<base::Named<Timer>>({
    {Timer::retransmit, "retransmit"},
    {Timer::tail_probe, "tail_probe"},
    {Timer::reordering, "reordering"},
    {Timer::pacing, "pacing"},
    {Timer::persist, "persist"},
    {Timer::delayed_ack, "delayed_ack"},
    {Timer::keep_alive, "keep_alive"},
    {Timer::fin_wait_2, "fin_wait_2"},
    {Timer::time_wait, "time_wait"},
});
static_assert(base::is_complete(kTimers, static_cast<std::size_t>(Timer::count_)));

constexpr auto kLossRules = std::to_array<base::Named<LossRule>>({
    {LossRule::rack, "rack"},
    {LossRule::duplicate_acks, "duplicate_acks"},
    {LossRule::partial_ack, "partial_ack"},
    {LossRule::timeout, "timeout"},
    {LossRule::too_big, "too_big"},
});
static_assert(base::is_complete(kLossRules, 5));

constexpr auto kProofs = std::to_array<base::Named<UndoProof>>({
    {UndoProof::timestamps, "timestamps"},
    {UndoProof::duplicates, "duplicates"},
    {UndoProof::f_rto, "f_rto"},
});
static_assert(base::is_complete(kProofs, 3));

constexpr auto kCaStates = std::to_array<base::Named<CaState>>({
    {CaState::open, "open"},
    {CaState::disorder, "disorder"},
    {CaState::cwr, "cwr"},
    {CaState::recovery, "recovery"},
    {CaState::loss, "loss"},
});
static_assert(base::is_complete(kCaStates, 5));

constexpr auto kFastOpenOutcomes = std::to_array<base::Named<FastOpenOutcome>>({
    {FastOpenOutcome::unused, "unused"},
    {FastOpenOutcome::taken, "taken"},
    {FastOpenOutcome::cookie_unavailable, "cookie_unavailable"},
    {FastOpenOutcome::data_not_acked, "data_not_acked"},
    {FastOpenOutcome::syn_retransmitted, "syn_retransmitted"},
});

}  // namespace

std::string_view name(LossRule rule) {
  return base::name_in(kLossRules, rule);
}

std::string_view name(UndoProof proof) {
  return base::name_in(kProofs, proof);
}

std::string_view name(FastOpenOutcome outcome) {
  return base::name_in(kFastOpenOutcomes, outcome);
}

std::string_view name(CaState state) {
  return base::name_in(kCaStates, state);
}

std::string_view name(SendReason reason) {
  return base::name_in(kSendReasons, reason);
}

std::string_view name(Timer timer) {
  return base::name_in(kTimers, timer);
}

}  // namespace estab
