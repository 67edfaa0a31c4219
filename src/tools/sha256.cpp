#include "tools/sha256.h"

#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace estab::tools {
namespace {

void check(bool done) {
  if (!done) throw std::runtime_error("OpenSSL does not give a SHA-256");
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  check(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(Octets octets) {
  check(EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) == 1);
}

std::string Sha256::hex() const {
  const Context copy(EVP_MD_CTX_new());
  check(copy && EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1);
  std::array<unsigned char, 32> digest;
  check(EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr) == 1);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_hex(Octets octets) {
  Sha256 hash;
  hash.update(octets);
  return hash.hex();
}

}  // namespace estab::tools
