// SHA-256 (FIPS 180-4) by OpenSSL, to tell whether a file came over whole.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>

#include "estab/octets.h"

namespace estab::tools {

/// Moved from, it may only be assigned to or destroyed. Throws std::runtime_error where OpenSSL is
/// configured to refuse SHA-256.
class Sha256 {
 public:
  Sha256();
  void update(Octets octets);
  /// The digest in hexadecimal of all octets so far; more may follow.
  std::string hex() const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;
  Context context_;
};

/// The digest of one run of octets.
std::string sha256_hex(Octets octets);

}  // namespace estab::tools
