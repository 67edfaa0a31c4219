#include "tcp/send/outgoing.h"

#include "base/hasher.h"

namespace estab::tcp {

void Outgoing::append(Octets octets, SendMode mode, BlockPool& pool) {
  queue_.append(octets, pool);
  mark(octets.size(), mode);
}

void Outgoing::append_owned(Octets octets, const std::shared_ptr<const void>& owner, SendMode mode,
                            BlockPool& pool) {
  queue_.append_owned(octets, owner, pool);
  mark(octets.size(), mode);
}

void Outgoing::mark(std::size_t octets, SendMode mode) {
  more_ = mode == SendMode::more;
  if (octets > 0) unpushed_ = more_;
  // [RFC 9293 MAY-15]
  if (mode == SendMode::push) release_end_ = queue_.end();
  if (mode == SendMode::push && octets > 0) push_end_ = queue_.end();
  if (mode == SendMode::urgent) {
    urgent_end_ = queue_.end();
    urgent_notice_ = true;
  }
}

// [RFC 9293 SHLD-27, MUST-61]
bool Outgoing::is_pushed(StreamOffset from, StreamOffset end) const {
  return (end == queue_.end() && !unpushed_) || (push_end_ > from && push_end_ <= end);
}

// A mark too far away for 16 bits is told as one just so far, if that lies beyond all that was
// sent: what is sent there will tell better. Among octets sent without a mark it would be a false
// one.
// [RFC 9293 MUST-30, MUST-31, MUST-62]
std::optional<std::uint16_t> Outgoing::urgent_pointer(StreamOffset at, StreamOffset max) const {
  constexpr std::int64_t kFarthest = 0xffff;
  if (!has_urgent(at) || (urgent_end_ - at > kFarthest && at + kFarthest <= max))
    return std::nullopt;
  return static_cast<std::uint16_t>(std::min(urgent_end_ - at, kFarthest));
}

void Outgoing::hash_into(base::Hasher& hasher) const {
  const auto& [queue, urgent_end, push_end, release_end, more, unpushed, fin_queued, urgent_notice,
               awaits_room, growth] = *this;
  hasher.add_all(queue, urgent_end, push_end, release_end, more, unpushed, fin_queued,
                 urgent_notice, awaits_room, growth);
}

}  // namespace estab::tcp
