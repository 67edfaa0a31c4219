// Fast Open cookies (RFC 7413 §4.1.2): a tag over the two addresses that nobody can make who has
// not the key, so that it shows that the client has been heard from at its address.
//
// Law: nothing is kept of the cookies given out. They are made anew and compared; with the key they
// expire. The tag is the one Linux makes (SipHash-2-4 over client and server), so that both can
// stand behind one address (§6.3.4).
#pragma once

#include <cstdint>

#include "estab/config.h"
#include "estab/segment.h"
#include "estab/time.h"

#include "tcp/open/secrets.h"

namespace estab::tcp {

/// The addresses of a SYN that has come, as the cookie authenticates them.
FastOpenCookie make_fast_open_cookie(const base::SipKey& key, const FourTuple& tuple);

enum class CookieCheck : std::uint8_t {
  invalid,
  current,
  outdated,  ///< of a key that is on its way out: good, but the client is to have a new one
};

/// Who issues cookies for a listener: by its own keys, or by those the stack makes of its secret,
/// one for each period, of which the current and the one before are good.
class CookieIssuer {
 public:
  CookieIssuer(const Secrets& secrets, const FastOpen& settings, Duration lifetime, Instant now);

  /// GetCookie and IsCookieValid of RFC 7413 §4.1.2.
  FastOpenCookie issue(const FourTuple& tuple) const;
  CookieCheck check(const FourTuple& tuple, const FastOpenCookie& cookie) const;

 private:
  base::SipKey own_key(std::uint64_t period) const { return secrets_.fast_open_key(period); }

  const Secrets& secrets_;
  const FastOpen& settings_;
  std::uint64_t period_;
};

}  // namespace estab::tcp
