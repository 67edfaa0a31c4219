#include "model/script.h"

#include <cstdio>

#include "estab/notation.h"

#include "model/segments.h"

namespace estab::model {

Script::Script(Side side, std::string_view title, Instant start) : last_(start) {
  text_ = "// " + std::string(title) + "\n// Side " + (side == Side::a ? "a" : "b") +
          " of an exploration (tests/model).\n";
}

void Script::line(Instant when, const std::string& what) {
  std::array<char, 32> time;
  const double seconds = std::chrono::duration<double>(when - last_).count();
  last_ = when;
  (void)std::snprintf(time.data(), time.size(), "%+8.3f ", seconds);
  text_ += time.data() + what + "\n";
}

void Script::call(Instant when, const std::string& call) {
  line(when, call);
}

std::string Script::notation(const Segment& segment, SeqNum from, SeqNum to) const {
  return to_string(segment, from, to);
}

void Script::add(Instant when, Input input, Octets octets, const Application& before,
                 const Application& after, const std::vector<Frame>& sent) {
  if (input.is_arrival()) {
    const Segment segment = segment_of(octets);
    if (segment.flags.syn()) theirs_ = segment.seq;
    line(when, "< " + notation(segment, theirs_, ours_));
  } else {
    command(when, input.act);
  }
  for (const Frame& frame : sent) {
    Segment segment = segment_of(frame.octets);
    if (segment.flags.syn()) ours_ = segment.seq;
    const bool zero = frame.sequence == SequenceNumber::zero;
    std::string text = notation(segment, zero ? SeqNum() : ours_, theirs_);
    // What depends on settings is not asked for: windows, and the options of a SYN.
    if (const auto win = text.find(" win "); win != std::string::npos) {
      const auto end = text.find(' ', win + 5);
      text.erase(win, end == std::string::npos ? end : end - win);
    }
    if (const auto options = text.find(" <"); options != std::string::npos && segment.flags.syn())
      text.replace(options, std::string::npos, " <...>");
    line(when, "> " + text);
  }
  if (after.count > streams_ && after.streams[after.count - 1].passive) {
    streams_ = after.count;
    descriptors_[streams_ - 1] = next_descriptor_++;
    call(when, "accept(" + std::to_string(listener_) +
                   ", ..., ...) = " + std::to_string(descriptors_[streams_ - 1]));
  }
  reading(when, before, after);
}

void Script::reading(Instant when, const Application& before, const Application& after) {
  if (streams_ == 0) return;
  const std::string read = "read(" + std::to_string(descriptor(streams_ - 1)) + ", ..., 100) = ";
  const StreamRecord none{};
  const StreamRecord& now = after.streams[streams_ - 1];
  const StreamRecord& then = before.count >= streams_ ? before.streams[streams_ - 1] : none;
  if (now.read > then.read) call(when, read + std::to_string(now.read - then.read));
  if (now.ended && !then.ended) call(when, read + "0");
}

void Script::command(Instant when, Act act) {
  const auto of = [this](std::string_view name, std::string_view rest) {
    return std::string(name) + "(" + std::to_string(streams_ ? descriptor(streams_ - 1) : 0) +
           std::string(rest);
  };
  switch (act) {
    case Act::listen: {
      listener_ = next_descriptor_++;
      const std::string fd = std::to_string(listener_);
      call(when, "socket(..., SOCK_STREAM, IPPROTO_TCP) = " + fd);
      call(when, "setsockopt(" + fd + ", SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0");
      call(when, "bind(" + fd + ", ..., ...) = 0");
      return call(when, "listen(" + fd + ", 8) = 0");
    }
    case Act::connect: {
      descriptors_[streams_++] = next_descriptor_++;
      const std::string fd = std::to_string(descriptor(streams_ - 1));
      call(when, "socket(..., SOCK_STREAM, IPPROTO_TCP) = " + fd);
      call(when, "fcntl(" + fd + ", F_SETFL, O_RDWR|O_NONBLOCK) = 0");
      return call(when,
                  "connect(" + fd + ", ..., ...) = -1 EINPROGRESS (Operation now in progress)");
    }
    case Act::stop_listening:
      return call(when, "close(" + std::to_string(listener_) + ") = 0");
    case Act::send:
      return call(when, of("write", ", ..., 1) = 1"));
    case Act::shutdown:
      return call(when, of("shutdown", ", SHUT_WR) = 0"));
    case Act::abort:
      call(when, of("setsockopt", ", SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0"));
      return call(when, of("close", ") = 0"));
    case Act::close:
    case Act::give_up:
      return call(when, of("close", ") = 0"));
    default:  // time passes, a timer fires; reading follows from what was read
      return;
  }
}

}  // namespace estab::model
