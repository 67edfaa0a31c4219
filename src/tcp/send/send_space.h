// SendSpace: the send sequence variables (RFC 9293 §3.3.1) and what a number is to them.
//
// Laws. SND.UNA <= SND.NXT <= max(), and none of them goes back. An offer of the peer's is taken
// from its newest segment only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcp/sequence.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

/// What an acknowledgement number is: `old` is below SND.UNA, `beyond` was never sent.
enum class AckKind : std::uint8_t { advance, duplicate, old, beyond };

class SendSpace {
 public:
  SendSpace(SeqNum iss, std::uint32_t window)
      : numbers_(iss), window_(window), max_window_(window) {}

  StreamOffset una() const { return una_; }
  StreamOffset nxt() const { return nxt_; }
  /// Behind the last octet ever sent: the octet of a window probe lies beyond SND.NXT.
  StreamOffset max() const { return max_; }
  /// SND.WND and Max(SND.WND), scaled.
  std::uint32_t window() const { return window_; }
  std::uint32_t max_window() const { return max_window_; }
  /// Behind the last octet that the peer takes.
  StreamOffset right_edge() const { return una_ + window_; }
  const SequenceSpace& numbers() const { return numbers_; }
  SeqNum wire(StreamOffset offset) const { return numbers_.wire(offset); }
  /// The offset an acknowledgement number means.
  StreamOffset offset_of(SeqNum number) const { return numbers_.near(number, una_); }
  bool in_flight() const { return max_ > una_; }
  /// The number of a segment without text. While its window is shut the peer accepts none but the
  /// one it waits for; what a probe took beyond it does not count yet.
  StreamOffset acceptable_seq() const { return window_ == 0 ? una_ : max_; }

  AckKind check_ack(StreamOffset ack) const;
  /// SND.WL1/WL2: is this segment newer than the one the window was taken from?
  bool check_window_update(StreamOffset seq, StreamOffset ack) const;

  enum class WindowChange : std::uint8_t { none, changed, opened };
  /// Takes the window of a segment that check_window_update() lets through.
  WindowChange accept_window(StreamOffset seq, StreamOffset ack, std::uint32_t window);
  /// Everything before `ack` has arrived.
  void accept_ack(StreamOffset ack) {
    una_ = ack;
    nxt_ = std::max(nxt_, una_);
  }
  /// Octets up to `end` have gone, as a part of the stream; as a probe they do not count as sent.
  void on_sent(StreamOffset end) {
    nxt_ = std::max(nxt_, end);
    max_ = std::max(max_, end);
  }
  void on_probe_sent(StreamOffset end) { max_ = std::max(max_, end); }

  friend bool operator==(const SendSpace&, const SendSpace&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  SequenceSpace numbers_;
  // [RFC 9293 REC-1]
  std::uint32_t window_;
  std::uint32_t max_window_;
  StreamOffset una_ = kFirstOctet;
  StreamOffset nxt_ = kFirstOctet;
  StreamOffset max_ = kFirstOctet;
  StreamOffset wl1_, wl2_;  // SND.WL1 (in the peer's numbering), SND.WL2
};

}  // namespace estab::tcp
