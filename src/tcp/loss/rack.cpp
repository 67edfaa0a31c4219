#include "tcp/loss/rack.h"

#include "base/hasher.h"

namespace estab::tcp::loss {

namespace {
constexpr std::uint8_t kPersist = 16;             // RACK.reo_wnd_persist
constexpr std::uint32_t kDuplicateThreshold = 3;  // DupThresh
}  // namespace

void Rack::on_duplicate_reported(StreamOffset una, StreamOffset nxt) {
  reordering_seen_ = true;
  if (una < dsack_round_) return;  // once a round trip
  dsack_round_ = nxt;
  if (reo_wnd_mult_ < 255) ++reo_wnd_mult_;
  reo_wnd_persist_ = kPersist;
}

void Rack::on_recovered() {
  if (reo_wnd_persist_ > 0) --reo_wnd_persist_;
  if (reo_wnd_persist_ == 0) reo_wnd_mult_ = 1;
}

Duration Rack::reordering_window(const Measures& measures) const {
  const bool at_once =
      measures.repair == Repair::under_way || measures.segments_sacked >= kDuplicateThreshold;
  if (!reordering_seen_ && at_once) return Duration::zero();
  return std::min(reo_wnd_mult_ * measures.min_rtt / 4, measures.srtt);
}

void Rack::hash_into(base::Hasher& hasher) const {
  hasher.add_all(xmit_ts_, end_seq_.value(), fack_.value(), dsack_round_.value(), rtt_,
                 reo_wnd_mult_, reo_wnd_persist_, reordering_seen_, xmit_twice_);
}

}  // namespace estab::tcp::loss
