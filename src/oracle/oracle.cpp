#include "oracle/oracle.h"

#include <functional>

namespace estab::oracle {

std::optional<Difference> Oracle::compare(const Sequence& sequence) {
  const std::uint32_t number = ++plays_;
  Played kernel = play(kernel_, sequence, {}, number);
  Played estab = play(estab_, sequence, kernel.room, number);
  for (std::size_t i = 0; i < sequence.steps.size(); ++i)
    if (kernel.answers[i] != estab.answers[i])
      return Difference{sequence, i, std::move(kernel), std::move(estab)};
  return std::nullopt;
}

std::optional<Difference> Oracle::unexplained(const Sequence& sequence, Settle settle) {
  auto difference = compare(sequence);
  if (!difference || settle(*difference)) return std::nullopt;
  const auto again = compare(sequence);
  if (!again || again->kernel.answers != difference->kernel.answers) return std::nullopt;
  return difference;
}

namespace {

using Change = std::function<bool(SegmentStep&)>;  // false: nothing to simplify

template <class T>
bool put(T& field, const T& value) {
  if (field == value) return false;
  field = value;
  return true;
}

bool drop_flag(SegmentStep& step, TcpFlags flag) {
  return put(step.flags, step.flags.without(flag));
}

const std::vector<Change>& simplifications() {
  static const std::vector<Change> kChanges = {
      [](SegmentStep& s) { return put(s.raw_options, {}); },
      [](SegmentStep& s) { return put(s.sack, {}); },
      [](SegmentStep& s) { return put(s.timestamps, {}); },
      [](SegmentStep& s) { return put(s.window_scale, {}); },
      [](SegmentStep& s) { return put(s.sack_permitted, false); },
      [](SegmentStep& s) { return put(s.mss, {}); },
      [](SegmentStep& s) { return put<std::uint8_t>(s.ecn, 0); },
      [](SegmentStep& s) { return put<std::uint8_t>(s.reserved, 0); },
      [](SegmentStep& s) { return put(s.wrong_checksum, false); },
      [](SegmentStep& s) { return put<std::uint16_t>(s.urgent_pointer, 0); },
      [](SegmentStep& s) { return put<std::uint16_t>(s.window, 65535); },
      [](SegmentStep& s) { return put<std::uint16_t>(s.payload, 0); },
      [](SegmentStep& s) { return s.payload > 10 && put<std::uint16_t>(s.payload, 10); },
      [](SegmentStep& s) { return put(s.seq, {}); },
      [](SegmentStep& s) { return put(s.ack, {}); },
      [](SegmentStep& s) { return drop_flag(s, kEce); },
      [](SegmentStep& s) { return drop_flag(s, kCwr); },
      [](SegmentStep& s) { return drop_flag(s, kUrg); },
      [](SegmentStep& s) { return drop_flag(s, kPsh); },
      [](SegmentStep& s) { return drop_flag(s, kFin); },
      [](SegmentStep& s) { return drop_flag(s, kSyn); },
      [](SegmentStep& s) { return drop_flag(s, kRst); },
  };
  return kChanges;
}

// Every sequence one step simpler than this one.
std::vector<Sequence> simpler(const Sequence& sequence) {
  std::vector<Sequence> list;
  const auto with = [&](auto&& change) {
    Sequence copy = sequence;
    if (change(copy)) list.push_back(std::move(copy));
  };
  for (std::size_t i = sequence.steps.size(); i-- > 0;)
    with([&](Sequence& s) {
      s.steps.erase(s.steps.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    });
  with([](Sequence& s) { return put(s.family, Family::ipv4); });
  with([](Sequence& s) { return put(s.isn, SeqNum(1000)); });
  for (std::size_t i = 0; i < sequence.steps.size(); ++i) {
    if (std::holds_alternative<SegmentStep>(sequence.steps[i]))
      for (const Change& change : simplifications())
        with([&](Sequence& s) { return change(std::get<SegmentStep>(s.steps[i])); });
    if (const auto* call = std::get_if<CallStep>(&sequence.steps[i]))
      if (call->amount > 10)
        with([&](Sequence& s) { return put(std::get<CallStep>(s.steps[i]).amount, 10u); });
  }
  return list;
}

}  // namespace

bool Oracle::shrink_once(Difference& difference, Settle settle) {
  for (const Sequence& candidate : simpler(difference.sequence)) {
    if (auto smaller = unexplained(candidate, settle)) {
      difference = std::move(*smaller);
      return true;
    }
  }
  return false;
}

Difference Oracle::shrink(Difference difference, Settle settle) {
  Sequence cut = difference.sequence;
  cut.steps.resize(difference.step + 1);
  if (auto shorter = unexplained(cut, settle)) difference = std::move(*shorter);
  for (int rounds = 0; rounds < 200 && shrink_once(difference, settle); ++rounds) {
  }
  return difference;
}

std::string describe(const Difference& difference) {
  std::string text = difference.sequence.family == Family::ipv4 ? "IPv4" : "IPv6";
  text += ", the peer's ISN " + std::to_string(difference.sequence.isn.value()) + "\n";
  for (std::size_t i = 0; i <= difference.step; ++i) {
    text += "  " + to_string(difference.sequence.steps[i]) + "\n";
    if (i < difference.step) {
      text += "      " + to_string(difference.estab.answers[i]) + "\n";
    } else {
      text += "      kernel: " + to_string(difference.kernel.answers[i]) + "\n";
      text += "      estab:  " + to_string(difference.estab.answers[i]) + "\n";
    }
  }
  return text;
}

}  // namespace estab::oracle
