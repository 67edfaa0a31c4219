#include "tcp/open/fast_open_cookie.h"

#include <algorithm>
#include <array>

#include "base/byte_order.h"

namespace estab::tcp {

namespace {

base::SipKey key_of(const FastOpenKey& octets) {
  return {base::load_le64(octets.data()), base::load_le64(octets.data() + 8)};
}

Octets address_octets(const IpAddress& address) {
  const Octets octets = address.octets();
  return address.is_v4() ? octets.subspan(12) : octets;
}

}  // namespace

// [RFC 7413 4.1.2-1]
FastOpenCookie make_fast_open_cookie(const base::SipKey& key, const FourTuple& tuple) {
  std::array<std::uint8_t, 32> addresses;
  const Octets client = address_octets(tuple.remote_address);
  const auto behind = std::ranges::copy(client, addresses.begin()).out;
  std::ranges::copy(address_octets(tuple.local_address), behind);
  const std::uint64_t tag = base::siphash24(key, Octets(addresses).first(2 * client.size()));
  std::array<std::uint8_t, 8> cookie;
  base::store_le64(cookie.data(), tag);
  return *FastOpenCookie::from(cookie);
}

CookieIssuer::CookieIssuer(const Secrets& secrets, const FastOpen& settings, Duration lifetime,
                           Instant now)
    : secrets_(secrets),
      settings_(settings),
      period_(static_cast<std::uint64_t>(now.time_since_epoch() /
                                         std::max(lifetime, Duration(std::chrono::seconds(1))))) {}

FastOpenCookie CookieIssuer::issue(const FourTuple& tuple) const {
  const auto& keys = settings_.keys;
  return make_fast_open_cookie(keys.empty() ? own_key(period_) : key_of(keys.front()), tuple);
}

CookieCheck CookieIssuer::check(const FourTuple& tuple, const FastOpenCookie& cookie) const {
  if (cookie == issue(tuple)) return CookieCheck::current;
  const auto opens = [&](const base::SipKey& key) {
    return cookie == make_fast_open_cookie(key, tuple);
  };
  const auto& keys = settings_.keys;
  const bool outdated =
      keys.empty() ? period_ > 0 && opens(own_key(period_ - 1))
                   : std::any_of(keys.begin() + 1, keys.end(),
                                 [&](const FastOpenKey& key) { return opens(key_of(key)); });
  return outdated ? CookieCheck::outdated : CookieCheck::invalid;
}

}  // namespace estab::tcp
