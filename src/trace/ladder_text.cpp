// Draws a Ladder: which line comes when, and what stands on it.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "estab/ladder.h"

#include "trace/explain.h"
#include "trace/ladder_canvas.h"

namespace estab {

namespace {

using trace::Canvas;
using trace::cells;
using trace::Span;
using trace::Spans;
using trace::Style;

// One unit for all times of a ladder, and as many places as the finest of them needs.
class Clock {
 public:
  explicit Clock(const Ladder& ladder) : start_(ladder.start) {
    Duration finest{1'000'000'000};
    for (const LadderEvent& event : ladder.events)
      for (const Instant when : {event.departed, event.arrived.value_or(event.departed)}) {
        longest_ = std::max(longest_, when - start_);
        finest = std::min(finest, grain(when - start_));
      }
    const bool small =
        longest_ < std::chrono::milliseconds(10) && finest < std::chrono::microseconds(100);
    unit_ = small ? 1'000 : 1'000'000;
    name_ = small ? "us" : "ms";
    for (std::int64_t step = unit_; step > finest.count() && places_ < (small ? 0 : 3); step /= 10)
      ++places_;
  }

  std::size_t widest() const { return cells((*this)(start_ + longest_)); }
  std::string operator()(Instant when) const {
    return fmt::format("{:.{}f} {}",
                       static_cast<double>((when - start_).count()) / static_cast<double>(unit_),
                       places_, name_);
  }

 private:
  static Duration grain(Duration duration) {
    std::int64_t step = 1'000'000'000;
    while (step > 1 && duration.count() % step != 0) step /= 10;
    return Duration(step);
  }

  Instant start_;
  Duration longest_{0};
  std::int64_t unit_ = 1'000'000;
  const char* name_ = "ms";
  int places_ = 0;
};

enum class Part : std::uint8_t { whole, departure, arrival };

class Drawing {
 public:
  Drawing(const Ladder& ladder, const LadderOptions& options)
      : ladder_(ladder),
        options_(options),
        clock_(ladder),
        canvas_(options, std::max<std::size_t>(clock_.widest(), 7)) {}

  std::string draw() {
    head();
    std::multimap<std::int64_t, std::pair<const LadderEvent*, Part>> lines;
    for (const LadderEvent& event : ladder_.events) {
      const bool two = event.slanted && event.arrived;
      lines.emplace(event.departure_order, std::pair(&event, two ? Part::departure : Part::whole));
      if (two) lines.emplace(event.arrival_order, std::pair(&event, Part::arrival));
    }
    for (const auto& [order, line] : lines) draw_line(*line.first, line.second);
    foot();
    return canvas_.take();
  }

 private:
  void head() {
    const auto& [left, right] = ladder_.ends;
    canvas_.heading(left.name, right.name, Style::bold);
    canvas_.heading(to_string(left.endpoint), to_string(right.endpoint), Style::dim);
    canvas_.row({.time = "time",
                 .left = std::string(name(left.first)),
                 .right = std::string(name(right.first))});
    shown_ = {left.first, right.first};
  }

  void draw_line(const LadderEvent& event, Part part) {
    if (!is_brief(event)) canvas_.row({});
    Canvas::Row row;
    row.time = clock_(part == Part::arrival ? *event.arrived : event.departed);
    if (event.kind == LadderEvent::Kind::moment) return draw_moment(event, std::move(row));
    const State at_sender =
        part == Part::arrival ? shown_[index_of(event.from)] : event.sender_after;
    const bool received = part != Part::departure && event.arrived;
    const State at_receiver = received ? event.receiver_after : shown_[index_of(other(event.from))];
    put_state(event.from, at_sender, row);
    put_state(other(event.from), at_receiver, row);
    if (part != Part::arrival && event.fate != Fate::copied)
      (event.from == LadderSide::left ? row.left_rail : row.right_rail) =
          event.from == LadderSide::left ? canvas_.glyphs().tee_left : canvas_.glyphs().tee_right;
    const Caption text = caption(event, part);
    row.middle = arrow(event, part, text.on);
    canvas_.row(row);
    if (part != Part::arrival && !is_told_briefly(event)) draw_options(text.below);
    draw_words(event, part);
  }

  bool is_told_briefly(const LadderEvent& event) const {
    return options_.brief_before && event.departed < *options_.brief_before;
  }
  bool is_brief(const LadderEvent& event) const {
    return options_.wording == Wording::hidden || is_told_briefly(event);
  }

  void draw_moment(const LadderEvent& event, Canvas::Row row) {
    put_state(event.from, event.sender_after, row);
    (event.from == LadderSide::left ? row.left_rail : row.right_rail) = canvas_.glyphs().dot;
    canvas_.words(event.text, event.rfc, std::move(row));
  }

  void put_state(LadderSide side, State state, Canvas::Row& row) {
    State& shown = shown_[index_of(side)];
    if (state == shown) return;
    shown = state;
    (side == LadderSide::left ? row.left : row.right) = name(state);
  }

  Style style_of(const LadderEvent& event) const {
    if (event.fate == Fate::lost || event.segment.flags.rst()) return Style::bad;
    return event.from == LadderSide::left ? Style::left : Style::right;
  }

  // What stands on an arrow, and what of the notation did not fit and goes below it.
  struct Caption {
    std::string on, below;
  };

  Caption caption(const LadderEvent& event, Part part) const {
    const std::size_t inner = canvas_.inner();
    const std::size_t room = part == Part::departure ? inner - 14
                             : event.arrived         ? inner - 8
                                                     : inner - 12;
    const std::string whole = event.label + (event.options.empty() ? "" : ' ' + event.options);
    const std::string again = event.fate == Fate::copied ? "again: " : "";
    if (cells(again + whole) <= room) return {again + whole, ""};
    if (cells(again + event.label) <= room) return {again + event.label, event.options};
    const std::size_t window = std::min(event.label.find(" win "), event.label.size());
    const std::size_t cut = window <= room ? window : std::min(event.label.find(" ack "), window);
    return {again + event.label.substr(0, cut), whole.substr(std::min(whole.size(), cut + 1))};
  }

  Spans arrow(const LadderEvent& event, Part part, const std::string& label) {
    if (part == Part::arrival) return arriving(event);
    return part == Part::departure ? leaving(event, label) : across(event, label);
  }

  std::string line(std::size_t length) const {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += canvas_.glyphs().line;
    return text;
  }
  std::string dots(std::size_t length) const {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += canvas_.glyphs().dots;
    return text;
  }
  static std::string blanks(std::size_t length) { return std::string(length, ' '); }
  static std::size_t less(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }

  // Straight, from rail to rail; or not quite, if it got lost.
  Spans across(const LadderEvent& event, const std::string& label) const {
    const trace::GlyphSet& glyphs = canvas_.glyphs();
    const std::size_t inner = canvas_.inner();
    const bool arrives = event.arrived.has_value();
    const std::size_t length = std::max(arrives ? inner : inner * 3 / 4, cells(label) + 7);
    const std::string_view end = event.fate == Fate::lost ? glyphs.lost : "?";
    const Style style = style_of(event);
    if (event.from == LadderSide::left) {
      const std::string shaft = line(less(length, 3 + 2 + cells(label) + 1));
      return {{style, line(3)},
              {Style::plain, " " + label + " "},
              {style, shaft},
              {style, std::string(arrives ? glyphs.arrow_right : end)}};
    }
    const std::string shaft = line(less(length, 3 + 2 + cells(label)));
    return {{style, blanks(less(inner, length)) + std::string(arrives ? glyphs.arrow_left : end) +
                        line(2)},
            {Style::plain, " " + label + " "},
            {style, shaft}};
  }

  Spans leaving(const LadderEvent& event, const std::string& label) {
    const std::string tag = trace::circled(tag_of(event), canvas_.glyph_choice());
    const std::size_t inner = canvas_.inner();
    const std::size_t length = std::max(inner * 3 / 4, cells(label) + cells(tag) + 11);
    const Style style = style_of(event);
    const std::string shaft = line(less(length, 3 + 2 + cells(label) + 2 + cells(tag) + 3));
    if (event.from == LadderSide::left)
      return {{style, line(3)},
              {Style::plain, " " + label + " "},
              {style, shaft},
              {Style::bold, " " + tag + " "},
              {style, dots(3)}};
    return {{style, blanks(less(inner, length)) + dots(3)},
            {Style::bold, " " + tag + " "},
            {style, line(2)},
            {Style::plain, " " + label + " "},
            {style, line(cells(shaft) + 1)}};
  }

  Spans arriving(const LadderEvent& event) {
    const std::string tag = trace::circled(tag_of(event), canvas_.glyph_choice());
    const trace::GlyphSet& glyphs = canvas_.glyphs();
    const std::size_t inner = canvas_.inner();
    const Style style = style_of(event);
    const std::size_t shaft = less(inner * 3 / 4, cells(tag) + 2 + 3 + 1);
    const std::size_t gap = less(inner, shaft + cells(tag) + 2 + 3 + 1);
    if (event.from == LadderSide::left)
      return {{style, blanks(gap) + dots(3)},
              {Style::bold, " " + tag + " "},
              {style, line(shaft) + std::string(glyphs.arrow_right)}};
    return {{style, std::string(glyphs.arrow_left) + line(shaft)},
            {Style::bold, " " + tag + " "},
            {style, dots(3)}};
  }

  unsigned tag_of(const LadderEvent& event) {
    const auto [place, added] = tags_.try_emplace(&event, static_cast<unsigned>(tags_.size() + 1));
    return place->second;
  }

  // Broken after a comma where it must be.
  void draw_options(std::string rest) {
    const std::size_t room = canvas_.inner() - 6;
    while (!rest.empty()) {
      const std::size_t comma = cells(rest) <= room ? std::string::npos : rest.rfind(',', room - 1);
      const std::size_t end = comma == std::string::npos ? rest.size() : comma + 1;
      canvas_.row({.middle = {{Style::plain, "    " + rest.substr(0, end)}}});
      rest.erase(0, end);
    }
  }

  void draw_words(const LadderEvent& event, Part part) {
    if (is_brief(event)) return;
    if (part == Part::arrival) {
      if (!event.on_arrival.empty()) canvas_.words(event.on_arrival, "");
      return;
    }
    std::string text = event.text;
    if (part == Part::whole && !event.on_arrival.empty())
      text += (text.empty() ? "" : " ") + event.on_arrival;
    canvas_.words(text, event.rfc);
  }

  void foot() {
    if (options_.wording == Wording::shown) canvas_.row({});
    std::string text =
        "Numbers count from each side's initial sequence number: the SYN is 0, the first octet 1.";
    if (ladder_.transit && *ladder_.transit > Duration{0})
      text += " One way takes " + trace::duration_text(*ladder_.transit) + ".";
    for (const LadderEnd& end : ladder_.ends)
      if (!end.observed)
        text += fmt::format(" {} was not observed: its states follow from its segments.", end.name);
    canvas_.footnote(text);
    if (ladder_.left_out > 0)
      canvas_.footnote(fmt::format("{} later events were not recorded (the recorder's limit).",
                                   ladder_.left_out));
  }

  const Ladder& ladder_;
  const LadderOptions& options_;
  Clock clock_;
  Canvas canvas_;
  std::array<State, 2> shown_{};
  std::map<const LadderEvent*, unsigned> tags_;
};

}  // namespace

std::string render_ladder(const Ladder& ladder, const LadderOptions& options) {
  return Drawing(ladder, options).draw();
}

std::string render_ladder(const Recording& recording, const LadderOptions& options) {
  const auto ladder = make_ladder(recording, options);
  return ladder ? render_ladder(*ladder, options) : std::string();
}

}  // namespace estab
