// For tests: the hash of a value.
#pragma once

#include <cstdint>

#include "base/hasher.h"

namespace estab::ip {

template <class T>
std::uint64_t hash_of(const T& value) {
  base::Hasher hasher;
  value.hash_into(hasher);
  return hasher.finish();
}

}  // namespace estab::ip
