#include "tools/sha256.h"

#include <array>
#include <new>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace estab::tools {
namespace {

void check(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL does not give a SHA-256");
}

EVP_MD_CTX* new_context() {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  return context != nullptr ? context : throw std::bad_alloc();
}

}  // namespace

Sha256::Sha256() : context_(new_context()) {
  check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(Octets octets) {
  check(EVP_DigestUpdate(context_.get(), octets.data(), octets.size()));
}

std::string Sha256::hex() const {
  const Context copy(new_context());
  check(EVP_MD_CTX_copy_ex(copy.get(), context_.get()));
  std::array<unsigned char, 32> digest;
  check(EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr));
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_hex(Octets octets) {
  Sha256 hash;
  hash.update(octets);
  return hash.hex();
}

}  // namespace estab::tools
