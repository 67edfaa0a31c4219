#include "oracle/oracle.h"

#include <algorithm>
#include <functional>

namespace estab::oracle {

bool Oracle::explain(Difference difference, std::vector<const KnownDifference*>& found) const {
  std::vector<const KnownDifference*> here;
  // One class may expose what another explains: repeat until nothing changes.
  for (bool changed = true; changed;) {
    changed = false;
    for (const KnownDifference& known : classes_) {
      if (!known.level || difference.is_none() || !known.level(difference)) continue;
      changed = true;
      if (std::ranges::find(here, &known) == here.end()) here.push_back(&known);
    }
  }
  if (!difference.is_none()) {
    const auto known = std::ranges::find_if(
        classes_, [&](const KnownDifference& each) { return each.fits && each.fits(difference); });
    if (known == classes_.end()) return false;
    here.push_back(&*known);
  }
  found.insert(found.end(), here.begin(), here.end());
  return true;
}

const KnownDifference* Oracle::find_parting(const Difference& difference) const {
  const auto parting = std::ranges::find_if(
      classes_, [&](const KnownDifference& each) { return each.parts && each.parts(difference); });
  return parting == classes_.end() ? nullptr : &*parting;
}

Comparison Oracle::compare(const Sequence& sequence) {
  Comparison comparison;
  const std::uint32_t number = ++plays_;
  Difference difference{sequence, 0, {}, {}};
  difference.kernel = play(kernel_, sequence, {}, number);
  difference.estab = play(estab_, sequence, difference.kernel.room, number);
  for (std::size_t& i = difference.step; i < sequence.steps.size(); ++i) {
    const bool same = difference.is_none();
    if (!same && !explain(difference, comparison.known)) {
      comparison.unexplained = std::move(difference);
      return comparison;
    }
    if (!same && comparison.known.back()->then == KnownDifference::Then::ends) return comparison;
    if (const KnownDifference* parting = find_parting(difference)) {
      comparison.known.push_back(parting);
      return comparison;
    }
  }
  return comparison;
}

std::optional<Difference> Oracle::unexplained(const Sequence& sequence) {
  auto difference = compare(sequence).unexplained;
  if (!difference) return std::nullopt;
  const auto again = compare(sequence).unexplained;
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

bool Oracle::shrink_once(Difference& difference) {
  for (const Sequence& candidate : simpler(difference.sequence)) {
    if (auto smaller = unexplained(candidate)) {
      difference = std::move(*smaller);
      return true;
    }
  }
  return false;
}

std::optional<Difference> Oracle::shrink(const Difference& difference) {
  constexpr int kMostRounds = 200;
  Sequence cut = difference.sequence;
  cut.steps.resize(difference.step + 1);
  auto shorter = unexplained(cut);
  for (int rounds = 0; shorter && rounds < kMostRounds && shrink_once(*shorter); ++rounds) {
  }
  return shorter;
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
