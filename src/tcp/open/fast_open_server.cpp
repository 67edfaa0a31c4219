#include "tcp/open/fast_open_server.h"

#include "base/fields.h"

namespace estab::tcp {

namespace {
/// What was reset counts for between one of these and two.
constexpr Duration kMinute = std::chrono::minutes(1);
}  // namespace

bool PendingFastOpens::has_room(std::uint32_t limit, Instant now) {
  age(now);
  return std::uint64_t{waiting_} + recent_ + earlier_ < limit;
}

void PendingFastOpens::age(Instant now) {
  if (now - since_ < kMinute) return;
  earlier_ = now - since_ < 2 * kMinute ? recent_ : 0;
  recent_ = 0;
  since_ = now;
}

auto PendingFastOpens::fields() const {
  const auto& [waiting, recent, earlier, since] = *this;
  return base::fields(waiting, recent, earlier, base::If{recent + earlier > 0}.decides(since));
}

bool operator==(const PendingFastOpens& a, const PendingFastOpens& b) {
  return a.fields() == b.fields();
}

void PendingFastOpens::hash_into(base::Hasher& hasher) const {
  hasher.add(fields());
}

// A good cookie makes the SYN as good as the third segment, with octets or without. A SYN-ACK that
// takes them needs no cookie, unless the one that came will soon be good no longer.
// [RFC 7413 4.2.2-3]
FastOpenAnswer answer_fast_open(const FastOpen& settings, const CookieIssuer& issuer,
                                const FourTuple& tuple, const Segment& syn) {
  if (!settings.cookies) return {.takes_octets = true};
  const FastOpenOption& asked = *syn.options.fast_open;
  const auto check =
      asked.cookie.empty() ? CookieCheck::invalid : issuer.check(tuple, asked.cookie);
  FastOpenAnswer answer{.takes_octets = check != CookieCheck::invalid};
  if (check != CookieCheck::current)
    answer.option = FastOpenOption{issuer.issue(tuple), asked.experimental};
  return answer;
}

}  // namespace estab::tcp
