// The notation of segments, written and read. What is written here and what wire::emit_tcp puts on
// the wire show the same options in the same order.
#include "estab/notation.h"

#include <array>
#include <charconv>
#include <limits>
#include <vector>

namespace estab {
namespace {

struct FlagLetter {
  char letter;
  TcpFlags flag;
};

// In the order in which they are written.
constexpr std::array<FlagLetter, 9> kFlagLetters = {{{'S', kSyn},
                                                     {'F', kFin},
                                                     {'R', kRst},
                                                     {'P', kPsh},
                                                     {'U', kUrg},
                                                     {'E', kEce},
                                                     {'W', kCwr},
                                                     {'A', kAe},
                                                     {'.', kAck}}};

std::string number(std::uint32_t value) {
  return std::to_string(value);
}

std::string relative(SeqNum value, SeqNum base) {
  return number(value.value() - base.value());
}

// As packetdrill writes it: the fields in the order in which they stand.
std::string accurate_ecn_to_string(const AccurateEcnOption& option) {
  const bool e0b_first = option.order == AccurateEcnOption::Order::e0b_first;
  const std::string e0b = " e0b " + number(option.e0b), e1b = " e1b " + number(option.e1b);
  std::string text = e0b_first ? "ECN" : "ECN1";
  if (option.fields > 0) text = "ECN" + (e0b_first ? e0b : e1b);
  if (option.fields > 1) text += " ceb " + number(option.ceb);
  if (option.fields > 2) text += e0b_first ? e1b : e0b;
  const std::size_t length = 2 + 3 * std::size_t{option.fields};
  for (std::size_t at = length; at % 4 != 0; ++at) text += ",nop";
  return text;
}

std::string fast_open_to_string(const FastOpenOption& option) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = option.experimental ? "FOEXP" : "FO";
  if (!option.cookie.empty()) text += ' ';
  for (const std::uint8_t octet : option.cookie.octets()) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  const std::size_t length = option.cookie.octets().size() + (option.experimental ? 4 : 2);
  return length % 4 == 0 ? text : text + ",nop,nop";
}

// The options with the NOPs that wire::emit_tcp puts around them.
std::string options_to_string(const TcpOptions& options, SeqNum base_ack) {
  std::string text;
  const auto put = [&text](const std::string& option) {
    text += (text.empty() ? "" : ",") + option;
  };
  if (options.mss) put("mss " + number(*options.mss));
  if (options.timestamps) {
    put(options.sack_permitted ? "sackOK" : "nop,nop");
    put("TS val " + number(options.timestamps->value) + " ecr " + number(options.timestamps->echo));
  }
  if (options.accurate_ecn) put(accurate_ecn_to_string(*options.accurate_ecn));
  if (options.sack_permitted && !options.timestamps) put("nop,nop,sackOK");
  if (options.window_scale) put("nop,wscale " + number(*options.window_scale));
  if (options.fast_open) put(fast_open_to_string(*options.fast_open));
  if (!options.sack.empty()) put("nop,nop,sack");
  for (const SackBlock& block : options.sack)
    text += " " + relative(block.left, base_ack) + ":" + relative(block.right, base_ack);
  return text;
}

// Reads the notation from left to right. The first thing that is not as it should be is noted with
// its place; everything read after that has no meaning.
class Reader {
 public:
  Reader(std::string_view text, SeqNum base_seq, SeqNum base_ack)
      : text_(text), base_seq_(base_seq), base_ack_(base_ack) {}

  std::expected<NotedSegment, std::string> read() {
    skip_spaces();
    read_flags();
    read_sequence();
    if (noted_.segment.flags.ack()) {
      expect_word("ack");
      noted_.segment.ack = base_ack_ + read_number();
    }
    if (take_word("win")) noted_.segment.window = read_number16();
    if (take_word("urg")) noted_.segment.urgent_pointer = read_number16();
    if (take("<")) read_options();
    skip_spaces();
    if (at_ != text_.size()) fail("the segment should end here");
    if (!error_.empty()) return std::unexpected(error_);
    return noted_;
  }

 private:
  void fail(const std::string& what) {
    if (!error_.empty()) return;
    error_ = what + " at column " + std::to_string(at_ + 1) + " of \"" + std::string(text_) + "\"";
  }

  std::string_view rest() const { return text_.substr(at_); }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(std::string_view token) {
    skip_spaces();
    if (!rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail("expected '" + std::string(token) + "'");
  }
  // A token that no letter or digit may follow.
  bool take_word(std::string_view word) {
    const std::size_t before = at_;
    if (!take(word)) return false;
    const bool ends = at_ == text_.size() || !is_word(text_[at_]);
    if (!ends) at_ = before;
    return ends;
  }
  void expect_word(std::string_view word) {
    if (!take_word(word)) fail("expected '" + std::string(word) + "'");
  }
  static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  std::uint32_t read_number(std::uint32_t most = std::numeric_limits<std::uint32_t>::max()) {
    skip_spaces();
    std::uint32_t value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, failure] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (failure == std::errc::invalid_argument) {
      fail("expected a number");
    } else if (failure != std::errc() || value > most) {
      fail("number above " + std::to_string(most));
    } else {
      at_ += static_cast<std::size_t>(end - begin);
    }
    return value;
  }
  std::uint16_t read_number16() { return static_cast<std::uint16_t>(read_number(0xffff)); }

  void read_flags() {
    if (take("-")) return;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] != ' '; ++at_) read_flag(text_[at_]);
    if (at_ == begin) fail("expected flags");
  }
  void read_flag(char letter) {
    for (const FlagLetter& known : kFlagLetters) {
      if (known.letter != letter) continue;
      if ((noted_.segment.flags.wire() & known.flag.wire()) != 0) fail("flag given twice");
      noted_.segment.flags = noted_.segment.flags | known.flag;
      return;
    }
    fail("no such flag");
  }

  void read_sequence() {
    const std::uint32_t begin = read_number();
    expect(":");
    const std::uint32_t end = read_number();
    const std::size_t before_length = at_;
    expect("(");
    noted_.payload_length = read_number();
    expect(")");
    noted_.segment.seq = base_seq_ + begin;
    if (!error_.empty() || begin + noted_.payload_length == end) return;
    at_ = before_length;
    fail("length is not the distance of " + number(begin) + " and " + number(end));
  }

  void read_options() {
    if (take(">")) return;
    do {
      read_option();
    } while (error_.empty() && take(","));
    expect(">");
  }
  void read_option() {
    TcpOptions& options = noted_.segment.options;
    if (take_word("nop") || take_word("eol")) return;
    const std::size_t begin = at_;
    bool repeated = false;
    if (take_word("mss")) {
      repeated = options.mss.has_value();
      options.mss = read_number16();
    } else if (take_word("wscale")) {
      repeated = options.window_scale.has_value();
      options.window_scale = static_cast<std::uint8_t>(read_number(0xff));
    } else if (take_word("sackOK")) {
      repeated = options.sack_permitted;
      options.sack_permitted = true;
    } else if (take_word("TS")) {
      repeated = options.timestamps.has_value();
      options.timestamps = read_timestamps();
    } else if (take_word("FO")) {
      repeated = options.fast_open.has_value();
      options.fast_open = {read_cookie(), false};
    } else if (take_word("FOEXP")) {
      repeated = options.fast_open.has_value();
      options.fast_open = {read_cookie(), true};
    } else if (take_word("sack")) {
      repeated = !options.sack.empty();
      read_sack(options.sack);
    } else if (take_word("ECN")) {
      repeated = options.accurate_ecn.has_value();
      options.accurate_ecn = read_accurate_ecn();
    } else if (take_word("ECN1")) {  // of no field, so that nothing else shows the kind
      repeated = options.accurate_ecn.has_value();
      options.accurate_ecn = AccurateEcnOption{.order = AccurateEcnOption::Order::e1b_first};
    } else {
      fail("no such option");
    }
    if (!repeated) return;
    at_ = begin;
    fail("option given twice");
  }
  TcpTimestamps read_timestamps() {
    expect_word("val");
    const std::uint32_t value = read_number();
    expect_word("ecr");
    return {value, read_number()};
  }
  AccurateEcnOption read_accurate_ecn() {
    constexpr std::uint32_t kMost = 0xffffff;
    AccurateEcnOption option;
    const auto read_field = [&](std::string_view name, std::uint32_t& field) {
      if (!take_word(name)) return false;
      field = read_number(kMost);
      ++option.fields;
      return true;
    };
    if (read_field("e1b", option.e1b)) {
      option.order = AccurateEcnOption::Order::e1b_first;
      if (read_field("ceb", option.ceb)) read_field("e0b", option.e0b);
    } else if (read_field("e0b", option.e0b)) {
      if (read_field("ceb", option.ceb)) read_field("e1b", option.e1b);
    }
    return option;
  }

  static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }
  FastOpenCookie read_cookie() {
    skip_spaces();
    std::vector<std::uint8_t> octets;
    for (; rest().size() >= 2 && digit(rest()[0]) >= 0 && digit(rest()[1]) >= 0; at_ += 2)
      octets.push_back(static_cast<std::uint8_t>(digit(rest()[0]) << 4 | digit(rest()[1])));
    const auto cookie = FastOpenCookie::from(octets);
    if (!cookie) fail("a cookie has 4 to 16 octets, an even number");
    return cookie.value_or(FastOpenCookie());
  }
  void read_sack(SackBlocks& blocks) {
    do {
      const SeqNum left = base_ack_ + read_number();
      expect(":");
      if (!blocks.add({left, base_ack_ + read_number()})) fail("more than four SACK blocks");
      skip_spaces();
    } while (error_.empty() && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9');
  }

  std::string_view text_;
  SeqNum base_seq_, base_ack_;
  std::size_t at_ = 0;
  NotedSegment noted_;
  std::string error_;
};

}  // namespace

std::string to_string(TcpFlags flags) {
  std::string text;
  for (const FlagLetter& known : kFlagLetters)
    if ((flags.wire() & known.flag.wire()) != 0) text += known.letter;
  return text.empty() ? "-" : text;
}

std::string to_string(const Segment& segment, SeqNum base_seq, SeqNum base_ack) {
  const auto length = static_cast<std::uint32_t>(segment.payload.size());
  std::string text = to_string(segment.flags) + " " + relative(segment.seq, base_seq) + ":" +
                     relative(segment.seq + length, base_seq) + "(" + number(length) + ")";
  if (segment.flags.ack()) text += " ack " + relative(segment.ack, base_ack);
  text += " win " + number(segment.window);
  if (segment.flags.urg() || segment.urgent_pointer != 0)
    text += " urg " + number(segment.urgent_pointer);
  const std::string options = options_to_string(segment.options, base_ack);
  if (!options.empty()) text += " <" + options + ">";
  return text;
}

std::expected<NotedSegment, std::string> parse_segment(std::string_view text, SeqNum base_seq,
                                                       SeqNum base_ack) {
  return Reader(text, base_seq, base_ack).read();
}

}  // namespace estab
