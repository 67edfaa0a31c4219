// The canvas a ladder is drawn on: lines of styled cells between two rails, with a column for the
// time and one for the state at either side. Knows glyphs, colours and widths, and nothing of TCP.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "estab/ladder.h"

namespace estab::trace {

enum class Style : std::uint8_t { plain, dim, bold, left, right, bad };

struct Span {
  Style style;
  std::string text;
};
using Spans = std::vector<Span>;

/// Cells a text takes: every character used here is one cell wide.
std::size_t cells(std::string_view text);
std::size_t cells(const Spans& spans);

/// Every glyph that is drawn, in both character sets.
struct GlyphSet {
  std::string_view line, rail, tee_left, tee_right, arrow_left, arrow_right, lost, dots, dot;
};
const GlyphSet& glyph_set(Glyphs glyphs);
/// A small number in a circle, or in brackets.
std::string circled(unsigned number, Glyphs glyphs);

struct CanvasRow {
  std::string time{};
  std::string left{}, right{};            ///< states
  std::string left_rail{}, right_rail{};  ///< instead of the plain rail
  Spans middle{};
};

class Canvas {
 public:
  static constexpr std::size_t kState = 12;  ///< SYN-RECEIVED

  /// `time_width`: cells the longest time takes.
  Canvas(const LadderOptions& options, std::size_t time_width);

  /// Columns between the rails.
  std::size_t inner() const { return width_ - left_margin() - 2 * (kState + 2); }
  const GlyphSet& glyphs() const { return glyph_set(glyph_choice_); }
  Glyphs glyph_choice() const { return glyph_choice_; }

  using Row = CanvasRow;
  void row(const Row& row);
  /// A line without rails: one text at the left, one at the right.
  void heading(const std::string& left, const std::string& right, Style style);
  /// A text below the drawing, wrapped.
  void footnote(const std::string& text);
  /// Words between the rails, wrapped, and after them the rules in dim. The first line takes its
  /// time, states and rails from `first`.
  void words(const std::string& text, const std::string& rules, Row first = {});
  /// Tokens that do not fit into one line continue on the next.
  std::vector<Spans> wrapped(const Spans& tokens, std::size_t width) const;

  std::string take() { return std::move(out_); }

 private:
  void put(Style style, std::string_view text);
  void put_padded(Style style, std::string_view text, std::size_t width);
  void end_line();

  // What comes before the state on the left.
  std::size_t left_margin() const { return 1 + time_width_ + 2; }

  std::size_t width_;
  std::size_t time_width_;
  Glyphs glyph_choice_;
  Paint paint_;
  std::string out_;
};

/// Splits at blanks; every word one token.
Spans tokens_of(const std::string& text, Style style);

}  // namespace estab::trace
