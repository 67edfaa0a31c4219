// The states of RFC 9293 §3.3.2 as it writes them.
#include "estab/state.h"

#include <array>

#include "base/named.h"

namespace estab {
namespace {

constexpr auto kStates = std::to_array<base::Named<State>>({
    {State::closed, "CLOSED"},
    {State::listen, "LISTEN"},
    {State::syn_sent, "SYN-SENT"},
    {State::syn_received, "SYN-RECEIVED"},
    {State::established, "ESTABLISHED"},
    {State::fin_wait_1, "FIN-WAIT-1"},
    {State::fin_wait_2, "FIN-WAIT-2"},
    {State::close_wait, "CLOSE-WAIT"},
    {State::closing, "CLOSING"},
    {State::last_ack, "LAST-ACK"},
    {State::time_wait, "TIME-WAIT"},
});
static_assert(base::is_complete(kStates, static_cast<std::size_t>(State::time_wait) + 1));

}  // namespace

std::string_view name(State state) {
  return base::name_in(kStates, state);
}

}  // namespace estab
