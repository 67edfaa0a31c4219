#include "tools/path_spec.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace estab::tools {

namespace {

using Setter = Read<void> (*)(PathSpec& path, std::string_view value);

struct Word {
  std::string_view key;
  PathWord help;
  Setter set;
};

/// Stores what a parser made of the value.
template <class T, class Store>
Read<void> stored(Read<T> read, Store store) {
  if (!read) return std::unexpected(read.error());
  store(*read);
  return {};
}

/// `a/b`: the two parts; without a slash the second is empty.
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {text, {}};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

Read<void> set_rate(PathSpec& path, std::string_view text) {
  return stored(parse_rate(text), [&](double rate) {
    path.link.rate_bits_per_second = static_cast<std::uint64_t>(std::llround(rate));
  });
}

Read<void> set_loss(PathSpec& path, std::string_view text) {
  return stored(parse_share(text), [&](double share) { path.link.impairments.loss = share; });
}

Read<void> set_burst_loss(PathSpec& path, std::string_view text) {
  const auto [enter, leave] = halves(text);
  const auto begins = parse_share(enter), ends = parse_share(leave);
  if (!begins || !ends)
    return std::unexpected("write how often a burst begins and ends, as in 0.5%/25%");
  path.link.impairments.burst_loss = sim::BurstLoss{.enter = *begins, .leave = *ends};
  return {};
}

Read<void> set_reorder(PathSpec& path, std::string_view text) {
  const auto [share, late] = halves(text);
  auto& impairments = path.link.impairments;
  if (const auto read = parse_share(share); read)
    impairments.reorder = *read;
  else
    return std::unexpected(read.error());
  if (late.empty()) return {};
  return stored(parse_duration(late), [&](Duration by) { impairments.reorder_delay = by; });
}

Read<void> set_blackout(PathSpec& path, std::string_view text) {
  const auto [begin, length] = halves(text);
  const auto from = parse_duration(begin), lasts = parse_duration(length);
  if (!from || !lasts)
    return std::unexpected("write when it begins and how long it lasts: 5s/800ms");
  path.link.impairments.blackouts.push_back({.begin = *from, .length = *lasts});
  return {};
}

Read<void> set_delay_change(PathSpec& path, std::string_view text) {
  const auto [at, delay] = halves(text);
  const auto when = parse_duration(at), then = parse_duration(delay);
  if (!when || !then) return std::unexpected("write when it changes and to what: 10s/80ms");
  auto& changes = path.link.delay_changes;
  if (!changes.empty() && changes.back().at >= *when)
    return std::unexpected("changes of delay come in the order of their times");
  changes.push_back({.at = *when, .delay = *then});
  return {};
}

Read<void> set_strip(PathSpec& path, std::string_view text) {
  auto& box = path.link.impairments.middlebox;
  if (text == "timestamps")
    box.strip_timestamps = true;
  else if (text == "sack")
    box.strip_sack = true;
  else if (text == "wscale")
    box.strip_window_scale = true;
  else
    return std::unexpected("write timestamps, sack or wscale");
  return {};
}

Read<void> set_discipline(PathSpec& path, std::string_view text) {
  auto& queue = path.link.queue;
  if (!text.empty() && text != "ecn") return std::unexpected("write codel, or codel=ecn to mark");
  queue.discipline = sim::Queue::Discipline::codel;
  queue.ecn = text == "ecn";
  return {};
}

Read<std::uint16_t> parse_path_mtu(std::string_view text) {
  const auto mtu = parse_whole(text, {.what = "a size in octets", .least = 68, .most = 65535});
  if (!mtu) return std::unexpected(mtu.error());
  return static_cast<std::uint16_t>(*mtu);
}

template <Duration sim::LinkConfig::* kMember>
Read<void> set_link_duration(PathSpec& path, std::string_view text) {
  return stored(parse_duration(text), [&](Duration value) { path.link.*kMember = value; });
}

template <double sim::Impairments::* kMember>
Read<void> set_chance(PathSpec& path, std::string_view text) {
  return stored(parse_share(text), [&](double value) { path.link.impairments.*kMember = value; });
}

const std::vector<Word>& words() {
  static const std::vector<Word> all = {
      {"rate", {"rate=50M", "bits a second of IP datagrams"}, set_rate},
      {"delay", {"delay=30ms", "one way"}, set_link_duration<&sim::LinkConfig::delay>},
      {"jitter",
       {"jitter=2ms", "up to so much more, order kept"},
       set_link_duration<&sim::LinkConfig::jitter>},
      {"queue", {"queue=250", "packets that may wait; or 64K, 1bdp, none"}, set_queue},
      {"codel", {"codel", "the queue is CoDel's (RFC 8289); codel=ecn marks"}, set_discipline},
      {"mark",
       {"mark=20", "marks from so many waiting packets on (DCTCP's step)"},
       [](PathSpec& path, std::string_view text) {
         return stored(parse_whole(text), [&](std::uint64_t from) {
           path.link.queue.mark_from = static_cast<std::size_t>(from);
         });
       }},
      {"loss", {"loss=1%", "each packet by itself"}, set_loss},
      {"burst-loss", {"burst-loss=0.5%/25%", "a burst begins, a burst ends"}, set_burst_loss},
      {"ack-loss",
       {"ack-loss=5%", "segments that only acknowledge"},
       set_chance<&sim::Impairments::ack_loss>},
      {"duplicate", {"duplicate=0.1%", "comes twice"}, set_chance<&sim::Impairments::duplicate>},
      {"corrupt", {"corrupt=0.1%", "an octet is changed"}, set_chance<&sim::Impairments::corrupt>},
      {"reorder", {"reorder=1%/5ms", "is so late, and others overtake it (2 ms)"}, set_reorder},
      {"ack-compression",
       {"ack-compression=10ms", "acknowledgements go together, so often"},
       [](PathSpec& path, std::string_view text) {
         return stored(parse_duration(text),
                       [&](Duration every) { path.link.impairments.ack_compression = every; });
       }},
      {"blackout", {"blackout=5s/800ms", "nothing gets through then, for so long"}, set_blackout},
      {"delay-change", {"delay-change=10s/80ms", "another delay from then on"}, set_delay_change},
      {"mtu",
       {"mtu=1400", "what does not fit is refused with ICMP"},
       [](PathSpec& path, std::string_view text) {
         return stored(parse_path_mtu(text), [&](std::uint16_t mtu) { path.link.mtu = mtu; });
       }},
      {"black-hole",
       {"black-hole=1400", "what is larger vanishes without a word"},
       [](PathSpec& path, std::string_view text) {
         return stored(parse_path_mtu(text),
                       [&](std::uint16_t size) { path.link.impairments.black_hole_above = size; });
       }},
      {"clamp-mss",
       {"clamp-mss=1200", "a middlebox lowers the MSS of SYNs"},
       [](PathSpec& path, std::string_view text) {
         return stored(parse_path_mtu(text),
                       [&](std::uint16_t mss) { path.link.impairments.middlebox.clamp_mss = mss; });
       }},
      {"strip", {"strip=sack", "a middlebox takes an option out of SYNs"}, set_strip},
  };
  return all;
}

}  // namespace

Read<void> set_queue(PathSpec& path, std::string_view text) {
  auto& queue = path.link.queue;
  queue.packets = queue.octets = 0;
  path.queue_bdps.reset();
  if (text == "none") return {};
  if (text.ends_with("bdp")) {
    const std::string number(text.substr(0, text.size() - 3));
    char* end = nullptr;
    const double bdps = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0' || !(bdps > 0) || bdps > 1000)
      return std::unexpected("write a queue in bandwidth-delay products as 1bdp or 0.5bdp");
    path.queue_bdps = bdps;
    return {};
  }
  const bool is_number =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (is_number)
    return stored(
        parse_whole(text, {.what = "a number of packets", .least = 1}),
        [&](std::uint64_t packets) { queue.packets = static_cast<std::size_t>(packets); });
  const auto octets = parse_size(text);
  if (!octets || *octets == 0)
    return std::unexpected("write a queue as 250 (packets), 64K (octets), 1bdp or none");
  queue.octets = static_cast<std::size_t>(*octets);
  return {};
}

sim::LinkConfig PathSpec::resolved(Duration rtt) const {
  sim::LinkConfig resolved = link;
  if (queue_bdps && link.rate_bits_per_second > 0) {
    const double seconds = static_cast<double>(rtt.count().value()) / 1e9;
    const double octets =
        *queue_bdps * static_cast<double>(link.rate_bits_per_second) / 8 * seconds;
    // A queue that holds not even one packet would pass nothing on.
    resolved.queue.octets = std::max<std::size_t>(static_cast<std::size_t>(octets), link.mtu);
  }
  return resolved;
}

const std::vector<PathWord>& path_words() {
  static const std::vector<PathWord> help = [] {
    std::vector<PathWord> made;
    for (const Word& word : words()) made.push_back(word.help);
    return made;
  }();
  return help;
}

Read<void> set_path_word(PathSpec& path, std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
  const auto found = std::ranges::find(words(), key, &Word::key);
  if (found == words().end()) {
    std::string known;
    for (const Word& each : words()) known += (known.empty() ? "" : ", ") + std::string(each.key);
    return std::unexpected("'" + std::string(key) + "' is none of " + known);
  }
  if (auto set = found->set(path, value); !set)
    return std::unexpected(std::string(word) + ": " + set.error());
  return {};
}

Read<PathSpec> parse_path(std::string_view text) {
  PathSpec path;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" ,"), text.size());
    if (end > 0) {
      if (auto set = set_path_word(path, text.substr(0, end)); !set)
        return std::unexpected(set.error());
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return path;
}

}  // namespace estab::tools
