// TCP options, read one after another and written in groups of four octets.
#include "wire/tcp_options.h"

#include <algorithm>

#include "base/byte_order.h"
#include "wire/tcp.h"

namespace estab::wire {
namespace {

using base::load_be16;
using base::load_be32;
using base::store_be16;
using base::store_be32;
using Lengths = TcpOptionLengths;

constexpr auto kEnd = static_cast<std::uint8_t>(TcpOptionKind::end);
constexpr auto kNop = static_cast<std::uint8_t>(TcpOptionKind::nop);

// NOP NOP timestamps: what RFC 7323 appendix A recommends, and nearly every segment carries.
constexpr std::uint32_t kUsualHead = 0x0101080a;
constexpr std::size_t kUsualLength = 12;

TcpTimestamps load_timestamps(const std::uint8_t* data) {
  return {load_be32(data), load_be32(data + 4)};
}

void parse_sack(Octets data, SackBlocks& blocks) {
  if (data.size() % Lengths::kSackBlock != 0) return;
  for (; !data.empty(); data = data.subspan(Lengths::kSackBlock))
    blocks.add({SeqNum(load_be32(data.data())), SeqNum(load_be32(data.data() + 4))});
}

std::uint32_t load_be24(const std::uint8_t* data) {
  return std::uint32_t{data[0]} << 16 | std::uint32_t{data[1]} << 8 | data[2];
}

// Whole fields as far as there are any; the rest is padding.
// [RFC 9768 3.2.3-3, 3.2.3-4]
AccurateEcnOption load_accurate_ecn(AccurateEcnOption::Order order, Octets data) {
  AccurateEcnOption option{.order = order};
  std::uint32_t* fields[] = {&option.e0b, &option.ceb, &option.e1b};
  if (order == AccurateEcnOption::Order::e1b_first) std::swap(fields[0], fields[2]);
  for (std::uint32_t* field : fields) {
    if (data.size() < Lengths::kAccurateEcnField) break;
    *field = load_be24(data.data());
    data = data.subspan(Lengths::kAccurateEcnField);
    ++option.fields;
  }
  return option;
}

// One of a length that no cookie has is passed over.
// [RFC 7413 4.1.1-1, 4.1.1-2]
void parse_fast_open(Octets data, TcpOptions& options) {
  if (const auto cookie = FastOpenCookie::from(data)) options.fast_open = FastOpenOption{*cookie};
}

void parse_experiment(Octets data, TcpOptions& options) {
  constexpr std::size_t kIdentifier = 2;
  if (data.size() < kIdentifier || load_be16(data.data()) != kFastOpenExperiment) return;
  const auto cookie = FastOpenCookie::from(data.subspan(kIdentifier));
  if (cookie) options.fast_open = FastOpenOption{*cookie, true};
}

// `data` is what follows kind and length.
void parse_option(TcpOptionKind kind, Octets data, TcpOptions& options) {
  const std::size_t length = data.size() + 2;
  switch (kind) {
    case TcpOptionKind::mss:
      if (length == Lengths::kMss) options.mss = load_be16(data.data());
      break;
    case TcpOptionKind::window_scale:
      if (length == Lengths::kWindowScale) options.window_scale = data[0];
      break;
    case TcpOptionKind::sack_permitted:
      if (length == Lengths::kSackPermitted) options.sack_permitted = true;
      break;
    case TcpOptionKind::sack:
      parse_sack(data, options.sack);
      break;
    case TcpOptionKind::timestamps:
      if (length == Lengths::kTimestamps) options.timestamps = load_timestamps(data.data());
      break;
    case TcpOptionKind::accurate_ecn_e0b_first:
      options.accurate_ecn = load_accurate_ecn(AccurateEcnOption::Order::e0b_first, data);
      break;
    case TcpOptionKind::accurate_ecn_e1b_first:
      options.accurate_ecn = load_accurate_ecn(AccurateEcnOption::Order::e1b_first, data);
      break;
    case TcpOptionKind::fast_open:
      parse_fast_open(data, options);
      break;
    case TcpOptionKind::experimental:
      parse_experiment(data, options);
      break;
    case TcpOptionKind::end:
    case TcpOptionKind::nop:
      break;
  }
}

// Writes one option after another.
class OptionWriter {
 public:
  explicit OptionWriter(std::uint8_t* out) : begin_(out), at_(out) {}

  void nops(int count) {
    for (; count > 0; --count) *at_++ = kNop;
  }
  void head(TcpOptionKind kind, std::size_t length) {
    *at_++ = static_cast<std::uint8_t>(kind);
    *at_++ = static_cast<std::uint8_t>(length);
  }
  void octets(Octets values) { at_ = std::ranges::copy(values, at_).out; }
  void fill_up() {
    while (length() % 4 != 0) nops(1);
  }
  void number8(std::uint8_t value) { *at_++ = value; }
  void number16(std::uint16_t value) {
    store_be16(at_, value);
    at_ += 2;
  }
  void number24(std::uint32_t value) {
    number8(static_cast<std::uint8_t>(value >> 16));
    number16(static_cast<std::uint16_t>(value));
  }
  void number32(std::uint32_t value) {
    store_be32(at_, value);
    at_ += 4;
  }
  std::size_t length() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  std::uint8_t* begin_;
  std::uint8_t* at_;
};

// What says that SACK is permitted fills the two octets before the timestamps, or NOPs do.
void write_timestamps(OptionWriter& writer, const TcpOptions& options) {
  if (options.sack_permitted)
    writer.head(TcpOptionKind::sack_permitted, Lengths::kSackPermitted);
  else
    writer.nops(2);
  writer.head(TcpOptionKind::timestamps, Lengths::kTimestamps);
  writer.number32(options.timestamps->value);
  writer.number32(options.timestamps->echo);
}

// [RFC 9768 3.2.3-1, 3.2.3-2]
void write_accurate_ecn(OptionWriter& writer, const AccurateEcnOption& option) {
  const bool e0b_first = option.order == AccurateEcnOption::Order::e0b_first;
  const std::size_t length = Lengths::kAccurateEcnHead + option.fields * Lengths::kAccurateEcnField;
  writer.head(
      e0b_first ? TcpOptionKind::accurate_ecn_e0b_first : TcpOptionKind::accurate_ecn_e1b_first,
      length);
  if (option.fields > 0) writer.number24(e0b_first ? option.e0b : option.e1b);
  if (option.fields > 1) writer.number24(option.ceb);
  if (option.fields > 2) writer.number24(e0b_first ? option.e1b : option.e0b);
  writer.nops(static_cast<int>(accurate_ecn_room(option.fields) - length));
}

std::size_t fast_open_length(const FastOpenOption& option) {
  const std::size_t head = option.experimental ? Lengths::kExperimentHead : Lengths::kFastOpenHead;
  return head + option.cookie.octets().size();
}

// The longest stands beside all others of a SYN: there is always room for it (RFC 7413 §4.2.2, 1a).
static_assert(Lengths::kMss + kUsualLength + Lengths::kWindowScale + 1 + Lengths::kExperimentHead +
                  FastOpenCookie::kMost ==
              kMaxTcpOptions);

void write_fast_open(OptionWriter& writer, const FastOpenOption& option) {
  writer.head(option.experimental ? TcpOptionKind::experimental : TcpOptionKind::fast_open,
              fast_open_length(option));
  if (option.experimental) writer.number16(kFastOpenExperiment);
  writer.octets(option.cookie.octets());
  writer.fill_up();
}

void write_sack(OptionWriter& writer, const TcpOptions& options) {
  const std::size_t count = fitting_sack_blocks(options);
  if (count == 0) return;
  writer.nops(2);
  writer.head(TcpOptionKind::sack, Lengths::kSackHead + count * Lengths::kSackBlock);
  for (std::size_t i = 0; i < count; ++i) {
    writer.number32(options.sack[i].left.value());
    writer.number32(options.sack[i].right.value());
  }
}

// Each group with the NOPs that fill it up to a multiple of four.
std::size_t length_without_sack(const TcpOptions& options) {
  std::size_t length = 0;
  if (options.mss) length += Lengths::kMss;
  if (options.timestamps)
    length += kUsualLength;
  else if (options.sack_permitted)
    length += Lengths::kSackPermitted + 2;
  if (options.window_scale) length += Lengths::kWindowScale + 1;
  if (options.accurate_ecn) length += accurate_ecn_room(options.accurate_ecn->fields);
  if (options.fast_open) length += (fast_open_length(*options.fast_open) + 3) / 4 * 4;
  return length;
}

}  // namespace

// [RFC 9293 MUST-4, MUST-5, MUST-64]
void parse_tcp_options(Octets area, TcpOptions& options) {
  if (area.size() == kUsualLength && load_be32(area.data()) == kUsualHead) {
    options.timestamps = load_timestamps(area.data() + 4);
    return;
  }
  while (!area.empty() && area[0] != kEnd) {
    if (area[0] == kNop) {
      area = area.subspan(1);
      continue;
    }
    if (area.size() < 2) return;
    // [RFC 9293 MUST-6, MUST-68]
    const std::size_t length = area[1];
    // [RFC 9293 MUST-7]
    if (length < 2 || length > area.size()) return;
    parse_option(TcpOptionKind{area[0]}, area.subspan(2, length - 2), options);
    area = area.subspan(length);
  }
}

std::size_t fitting_sack_blocks(const TcpOptions& options) {
  if (options.sack.empty()) return 0;
  const std::size_t room = kMaxTcpOptions - length_without_sack(options);
  const std::size_t head = 2 + Lengths::kSackHead;
  if (room < head) return 0;
  return std::min(options.sack.size(), (room - head) / Lengths::kSackBlock);
}

std::size_t tcp_header_length(const TcpOptions& options) {
  const std::size_t length = kTcpHeaderLength + length_without_sack(options);
  const std::size_t blocks = fitting_sack_blocks(options);
  if (blocks == 0) return length;
  return length + 2 + Lengths::kSackHead + blocks * Lengths::kSackBlock;
}

std::size_t emit_tcp_options(const TcpOptions& options, std::uint8_t* out) {
  OptionWriter writer(out);
  if (options.mss) {
    writer.head(TcpOptionKind::mss, Lengths::kMss);
    writer.number16(*options.mss);
  }
  if (options.timestamps) write_timestamps(writer, options);
  if (options.accurate_ecn) write_accurate_ecn(writer, *options.accurate_ecn);
  if (options.sack_permitted && !options.timestamps) {
    writer.nops(2);
    writer.head(TcpOptionKind::sack_permitted, Lengths::kSackPermitted);
  }
  if (options.window_scale) {
    writer.nops(1);
    writer.head(TcpOptionKind::window_scale, Lengths::kWindowScale);
    writer.number8(*options.window_scale);
  }
  if (options.fast_open) write_fast_open(writer, *options.fast_open);
  write_sack(writer, options);
  return writer.length();
}

}  // namespace estab::wire
