// The loops over many octets: portable, and with AVX2 where the processor has it.
#include "wire/checksum_kernel.h"

#include <algorithm>
#include <array>
#include <bit>

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

// Vectors of four 64-bit words are added twice: whole, modulo 2^64, and the upper halves of the
// words alone, which cannot overflow. The sum of the lower halves follows from the two at the end.
// That is three instructions for 32 octets; keeping the halves apart from the start would be four.
struct Accumulator {
  __m256i whole, upper;
};

constexpr std::size_t kVector = sizeof(__m256i);

// A vector loaded n octets into this has its last n octets set, and one loaded n octets before the
// last vector its first n.
alignas(kVector) constexpr auto kMasks = [] {
  std::array<std::uint8_t, 3 * kVector> masks{};
  std::fill_n(masks.begin() + kVector, kVector, std::uint8_t{0xff});
  return masks;
}();

__attribute__((target("avx2"), always_inline)) inline __m256i load(const std::uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

template <Copying kCopying>
__attribute__((target("avx2"), always_inline)) inline void store(std::uint8_t* to, std::size_t at,
                                                                 __m256i vector) {
  if constexpr (kCopying == Copying::yes)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + at), vector);
}

__attribute__((target("avx2"), always_inline)) inline void accumulate(Accumulator& sum,
                                                                      __m256i vector) {
  sum.whole = _mm256_add_epi64(sum.whole, vector);
  sum.upper = _mm256_add_epi64(sum.upper, _mm256_srli_epi64(vector, 32));
}

// The one's complement sum of the four words; each holds fewer than 2^31 halves, so nothing is
// lost.
__attribute__((target("avx2"), always_inline)) inline std::uint64_t reduce(const Accumulator& sum) {
  const __m256i lower = _mm256_sub_epi64(sum.whole, _mm256_slli_epi64(sum.upper, 32));
  const __m256i both = _mm256_add_epi64(lower, sum.upper);
  const __m128i pair =
      _mm_add_epi64(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(pair)) +
         static_cast<std::uint64_t>(_mm_extract_epi64(pair, 1));
}

// Loads that straddle cache lines cost a third of the speed, so the octets before the first aligned
// vector and behind the last one come as one masked vector each. An odd number of octets before the
// body, or of octets in the last vector before the tail, shifts what follows by one octet.
template <Copying kCopying>
__attribute__((target("avx2"))) std::uint64_t sum_avx2(std::uint8_t* to, const std::uint8_t* from,
                                                       std::size_t length) {
  const std::size_t head = -reinterpret_cast<std::uintptr_t>(from) % kVector;
  const std::size_t tail = (length - head) % kVector;
  const __m256i head_vector = load(from), tail_vector = load(from + length - kVector);
  Accumulator head_sum{}, tail_sum{}, even{}, odd{};
  accumulate(head_sum, _mm256_and_si256(head_vector, load(kMasks.data() + 2 * kVector - head)));
  accumulate(tail_sum, _mm256_and_si256(tail_vector, load(kMasks.data() + tail)));
  store<kCopying>(to, 0, head_vector);

  std::size_t at = head;
  const std::size_t end = length - tail;
  for (; at + 2 * kVector <= end; at += 2 * kVector) {
    const __m256i first = load(from + at), second = load(from + at + kVector);
    store<kCopying>(to, at, first);
    store<kCopying>(to, at + kVector, second);
    accumulate(even, first);
    accumulate(odd, second);
  }
  if (at != end) {
    const __m256i last = load(from + at);
    store<kCopying>(to, at, last);
    accumulate(even, last);
  }
  store<kCopying>(to, length - kVector, tail_vector);

  even.whole = _mm256_add_epi64(even.whole, odd.whole);
  even.upper = _mm256_add_epi64(even.upper, odd.upper);
  // The tail's words are counted from kVector octets before the end.
  const int tail_shift = tail % 2 == 0 ? 0 : 8, head_shift = head % 2 == 0 ? 0 : 8;
  const std::uint64_t body = ones_add(reduce(even), std::rotl(reduce(tail_sum), tail_shift));
  return ones_add(reduce(head_sum), std::rotl(body, head_shift));
}

bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}

// Below this, setting up the vectors costs more than they save.
constexpr std::size_t kVectorsFrom = 192;

// Looked up once at start-up; a sum taken before that goes the portable way and is as right.
const bool kHasAvx2 = has_avx2();

template <Copying kCopying>
std::uint64_t sum_best(std::uint8_t* to, const std::uint8_t* from, std::size_t length) {
  return kHasAvx2 && length >= kVectorsFrom ? sum_avx2<kCopying>(to, from, length)
                                            : sum_portable<kCopying>(to, from, length);
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
