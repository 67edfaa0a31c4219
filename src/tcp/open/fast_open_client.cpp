#include "tcp/open/fast_open_client.h"

#include <algorithm>

#include "base/public_fields.h"
#include "tcp/open/handshake.h"
#include "tcp/open/opening.h"
#include "wire/tcp.h"

namespace estab::tcp {

void FastOpenSyn::hash_into(base::Hasher& hasher) const {
  const auto& [what, most] = *this;
  hasher.add_all(what, most);
}

// Room is left for all options there can be: some middleboxes add their own, and a SYN that grows
// beyond the path is lost.
// [RFC 7413 2-1, 4.2.1-1, 4.2.2-1, 9-1]
FastOpenSyn plan_fast_open(const FastOpenCache& cache, const FourTuple& tuple,
                           const FastOpen& settings, std::uint32_t largest, Instant now) {
  if (!settings.connect || cache.is_paused(tuple, now)) return {};
  const FastOpenCache::Known* known = cache.find(tuple);
  FastOpenSyn syn;
  if (settings.connect_cookies) {
    syn.option = known ? known->option : FastOpenOption{};
    if (syn.option->cookie.empty()) return syn;
  }
  const std::uint32_t mss = known ? known->mss : default_mss(tuple.family());
  const std::uint32_t segment = std::min(mss, largest);
  syn.room = segment > wire::kMaxTcpOptions
                 ? segment - static_cast<std::uint32_t>(wire::kMaxTcpOptions)
                 : 0;
  return syn;
}

// A cookie nobody asked for is not taken. Without one, and with the SYN's octets not acknowledged,
// it has not worked; perhaps because what had them or the option was lost, on a path that lets
// neither through (RFC 7413 §4.2.2: "it can heuristically detect paths ...").
// [RFC 7413 4.1.3-1, 4.1.3.1-1, 4.1.3.1-2, 4.2.2-7]
void learn_from_syn_ack(FastOpenCache& cache, const Handshake& handshake, const Segment& syn_ack,
                        Instant now) {
  const FastOpenSyn& syn = handshake.fast_open();
  if (!syn.option && syn.room == 0) return;
  const FourTuple& tuple = handshake.tuple();
  FastOpenCache::Known news{{}, syn_ack.options.mss.value_or(default_mss(tuple.family()))};
  if (syn.option && syn_ack.options.fast_open) news.option = *syn_ack.options.fast_open;
  cache.learn(tuple, news);
  const bool worked = !news.option.cookie.empty() ||
                      handshake.fast_open_outcome() == FastOpenOutcome::taken ||
                      !handshake.has_tried_fast_open();
  if (!worked) cache.pause(tuple, now);
}

}  // namespace estab::tcp
