#include "base/byte_order.h"

#include <array>

#include <gtest/gtest.h>

namespace estab::base {
namespace {

// One octet before the number, so that every access is unaligned.
using Memory = std::array<std::uint8_t, 9>;

TEST(ByteOrder, LoadsTheMostSignificantOctetFirst) {
  const Memory memory = {0xff, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
  EXPECT_EQ(load_be16(&memory[1]), 0x0102);
  EXPECT_EQ(load_be32(&memory[1]), 0x01020304U);
  EXPECT_EQ(load_be64(&memory[1]), 0x0102030405060708U);
}

TEST(ByteOrder, LoadsTheLeastSignificantOctetFirstWhenAsked) {
  const Memory memory = {0xff, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
  EXPECT_EQ(load_le64(&memory[1]), 0x0807060504030201U);
}

TEST(ByteOrder, StoresWhatItLoadsAndNothingBeyond) {
  Memory memory{};
  store_be16(&memory[1], 0x0102);
  EXPECT_EQ(memory, (Memory{0, 1, 2}));
  store_be32(&memory[1], 0x03040506);
  EXPECT_EQ(memory, (Memory{0, 3, 4, 5, 6}));
  store_be64(&memory[1], 0x0102030405060708);
  EXPECT_EQ(memory, (Memory{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  store_le64(&memory[1], 0x0102030405060708);
  EXPECT_EQ(memory, (Memory{0, 8, 7, 6, 5, 4, 3, 2, 1}));
}

}  // namespace
}  // namespace estab::base
