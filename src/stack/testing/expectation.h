// What a script expects to be sent: the notation with wildcards (see Peer::out).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "estab/notation.h"

namespace estab::script {

struct Expectation {
  NotedSegment noted;
  bool any_window = false, any_options = false, more_options = false;
  bool any_mss = false, any_value = false, any_echo = false;
  bool names_options = false;

  static std::expected<Expectation, std::string> read(std::string_view notation, SeqNum base_seq,
                                                      SeqNum base_ack) {
    Expectation e;
    std::string text(notation);
    e.names_options = text.find('<') != std::string::npos;
    e.any_window = strike(text, " win *", "") || text.find(" win ") == std::string::npos;
    e.any_options = strike(text, "<*>", "");
    e.any_mss = strike(text, "mss *", "mss 0");
    e.more_options = strike(text, ",...", "") || strike(text, "...", "");
    e.any_value = strike(text, "val *", "val 0");
    e.any_echo = strike(text, "ecr *", "ecr 0");
    auto noted = parse_segment(text, base_seq, base_ack);
    if (!noted) return std::unexpected(noted.error());
    e.noted = *noted;
    return e;
  }

  bool is_met_by(const Segment& got) const {
    const Segment& want = noted.segment;
    return got.flags == want.flags && got.seq == want.seq &&
           (!want.flags.ack() || got.ack == want.ack) &&
           got.payload.size() == noted.payload_length &&
           (any_window || got.window == want.window) && got.urgent_pointer == want.urgent_pointer &&
           has_right_options(got.options);
  }

 private:
  static bool strike(std::string& text, std::string_view what, std::string_view by) {
    const auto place = text.find(what);
    if (place == std::string::npos) return false;
    text.replace(place, what.size(), by);
    return true;
  }

  bool has_right_options(const TcpOptions& got) const {
    if (any_options) return true;
    TcpOptions want = noted.segment.options;
    if (any_mss) want.mss = got.mss;
    if (want.timestamps && got.timestamps) {
      if (any_value) want.timestamps->value = got.timestamps->value;
      if (any_echo) want.timestamps->echo = got.timestamps->echo;
    }
    if (more_options) {
      if (!want.mss) want.mss = got.mss;
      if (!want.window_scale) want.window_scale = got.window_scale;
      if (!want.sack_permitted) want.sack_permitted = got.sack_permitted;
      if (!want.timestamps) want.timestamps = got.timestamps;
      if (want.sack.empty()) want.sack = got.sack;
    }
    return got == want;
  }
};

}  // namespace estab::script
