#include "wire/checksum_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace estab::wire {
namespace {

enum class Copying { no, yes };

// The carries of each accumulator are counted apart, so that no addition waits for the one before.
template <Copying kCopying>
std::uint64_t sum_portable(std::uint8_t* to, const std::uint8_t* from, std::size_t length) {
  std::uint64_t a = 0, b = 0, carries = 0;
  for (; length >= 16; from += 16, length -= 16) {
    std::uint64_t words[2];
    std::memcpy(words, from, 16);
    if constexpr (kCopying == Copying::yes) {
      std::memcpy(to, words, 16);
      to += 16;
    }
    a += words[0];
    b += words[1];
    carries += (a < words[0] ? 1U : 0U) + (b < words[1] ? 1U : 0U);
  }
  if (kCopying == Copying::yes && length != 0) std::memcpy(to, from, length);
  return ones_add(ones_add(ones_add(a, b), carries), sum_octets_short(from, length));
}

#if defined(__x86_64__)

// Lanes of 64 bits are added twice: whole, modulo 2^64, and their upper halves alone, which cannot
// overflow. The sum of the lower halves follows from the two at the end. That is three instructions
// for 32 octets; keeping the halves apart from the start would be four.
struct Lanes {
  __m256i whole, upper;
};

__attribute__((target("avx2"), always_inline)) inline void add_lanes(Lanes& sum, __m256i lanes) {
  sum.whole = _mm256_add_epi64(sum.whole, lanes);
  sum.upper = _mm256_add_epi64(sum.upper, _mm256_srli_epi64(lanes, 32));
}

__attribute__((target("avx2"))) std::uint64_t reduce(const Lanes& a, const Lanes& b) {
  const __m256i whole = _mm256_add_epi64(a.whole, b.whole);
  const __m256i upper = _mm256_add_epi64(a.upper, b.upper);
  const __m256i lower = _mm256_sub_epi64(whole, _mm256_slli_epi64(upper, 32));
  alignas(32) std::uint64_t parts[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(parts), upper);
  _mm256_store_si256(reinterpret_cast<__m256i*>(parts + 4), lower);
  std::uint64_t sum = 0;
  for (const std::uint64_t part : parts) sum = ones_add(sum, part);
  return sum;
}

template <Copying kCopying>
__attribute__((target("avx2"))) std::uint64_t sum_avx2(std::uint8_t* to, const std::uint8_t* from,
                                                       std::size_t length) {
  constexpr std::size_t kLane = sizeof(__m256i), kUnroll = 4;
  Lanes sums[2] = {{_mm256_setzero_si256(), _mm256_setzero_si256()},
                   {_mm256_setzero_si256(), _mm256_setzero_si256()}};
  const std::size_t lanes = length / kLane;
  std::size_t at = 0;
  for (; at + kUnroll <= lanes; at += kUnroll) {
    for (std::size_t i = 0; i < kUnroll; ++i) {
      const std::size_t offset = (at + i) * kLane;
      const auto v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + offset));
      if constexpr (kCopying == Copying::yes)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + offset), v);
      add_lanes(sums[i & 1], v);
    }
  }
  for (; at < lanes; ++at) {
    const auto v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at * kLane));
    if constexpr (kCopying == Copying::yes)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + at * kLane), v);
    add_lanes(sums[0], v);
  }
  const std::size_t done = lanes * kLane;
  if (kCopying == Copying::yes && done != length)
    std::memcpy(to + done, from + done, length - done);
  return ones_add(reduce(sums[0], sums[1]), sum_octets_short(from + done, length - done));
}

bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}

// Looked up once at start-up; a sum taken before that goes the portable way and is as right.
const bool kHasAvx2 = has_avx2();

template <Copying kCopying>
std::uint64_t sum_best(std::uint8_t* to, const std::uint8_t* from, std::size_t length) {
  return kHasAvx2 ? sum_avx2<kCopying>(to, from, length) : sum_portable<kCopying>(to, from, length);
}

#else

template <Copying kCopying>
std::uint64_t sum_best(std::uint8_t* to, const std::uint8_t* from, std::size_t length) {
  return sum_portable<kCopying>(to, from, length);
}

#endif

}  // namespace

std::uint64_t sum_octets_portable(const std::uint8_t* from, std::size_t length) {
  return sum_portable<Copying::no>(nullptr, from, length);
}

std::uint64_t copy_and_sum_octets_portable(std::uint8_t* to, const std::uint8_t* from,
                                           std::size_t length) {
  return sum_portable<Copying::yes>(to, from, length);
}

std::uint64_t sum_octets_wide(const std::uint8_t* from, std::size_t length) {
  return sum_best<Copying::no>(nullptr, from, length);
}

std::uint64_t copy_and_sum_octets_wide(std::uint8_t* to, const std::uint8_t* from,
                                       std::size_t length) {
  return sum_best<Copying::yes>(to, from, length);
}

}  // namespace estab::wire
