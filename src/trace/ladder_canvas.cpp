#include "trace/ladder_canvas.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace estab::trace {

namespace {

constexpr GlyphSet kUnicode = {.line = "─",
                               .rail = "│",
                               .tee_left = "├",
                               .tee_right = "┤",
                               .arrow_left = "←",
                               .arrow_right = "→",
                               .lost = "✗",
                               .dots = "┄",
                               .dot = "●"};
constexpr GlyphSet kAscii = {.line = "-",
                             .rail = "|",
                             .tee_left = "+",
                             .tee_right = "+",
                             .arrow_left = "<",
                             .arrow_right = ">",
                             .lost = "X",
                             .dots = ".",
                             .dot = "*"};

std::string_view code_of(Style style) {
  constexpr std::array<std::string_view, 6> kCodes = {"",         "\x1b[2m",  "\x1b[1m",
                                                      "\x1b[36m", "\x1b[35m", "\x1b[1;31m"};
  return kCodes[static_cast<std::size_t>(style)];
}

// The section sign is the only character outside ASCII that words contain.
std::string in_ascii(std::string text) {
  constexpr std::string_view kSign = "§";
  for (std::size_t at = text.find(kSign); at != std::string::npos; at = text.find(kSign))
    text.replace(at, kSign.size(), "section ");
  return text;
}

}  // namespace

std::size_t cells(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::size_t cells(const Spans& spans) {
  std::size_t sum = 0;
  for (const Span& span : spans) sum += cells(span.text);
  return sum;
}

const GlyphSet& glyph_set(Glyphs glyphs) {
  return glyphs == Glyphs::unicode ? kUnicode : kAscii;
}

std::string circled(unsigned number, Glyphs glyphs) {
  if (glyphs == Glyphs::ascii || number > 20) return fmt::format("({})", number);
  const char last = static_cast<char>(0xa0 + number - 1);
  return std::string("\xe2\x91") + last;  // U+2460 on
}

Canvas::Canvas(const LadderOptions& options, std::size_t time_width)
    : width_(std::clamp<std::size_t>(options.width, 80, 140)),
      time_width_(time_width),
      glyph_choice_(options.glyphs),
      paint_(options.paint) {}

void Canvas::put(Style style, std::string_view text) {
  const bool painted = paint_ == Paint::ansi && style != Style::plain && !text.empty();
  if (painted) out_ += code_of(style);
  out_ += text;
  if (painted) out_ += "\x1b[0m";
}

void Canvas::put_padded(Style style, std::string_view text, std::size_t width) {
  put(style, text);
  const std::size_t used = cells(text);
  if (used < width) out_.append(width - used, ' ');
}

void Canvas::end_line() {
  out_.erase(out_.find_last_not_of(' ') + 1);
  out_ += '\n';
}

void Canvas::row(const Row& row) {
  const std::string rail(glyphs().rail);
  out_.append(1 + time_width_ - std::min(cells(row.time), time_width_), ' ');
  put(Style::dim, row.time);
  out_ += "  ";
  put_padded(Style::bold, row.left, kState);
  out_ += ' ';
  put(Style::dim, row.left_rail.empty() ? rail : row.left_rail);
  for (const Span& span : row.middle) put(span.style, span.text);
  const std::size_t used = cells(row.middle);
  if (used < inner()) out_.append(inner() - used, ' ');
  put(Style::dim, row.right_rail.empty() ? rail : row.right_rail);
  out_ += ' ';
  put(Style::bold, row.right);
  end_line();
}

void Canvas::heading(const std::string& left, const std::string& right, Style style) {
  out_.append(left_margin(), ' ');
  put(style, left);
  const std::size_t used = left_margin() + cells(left);
  const std::size_t start = left_margin() + kState + 2 + inner() + 2;
  // Flush with the states on the right if it fits there, else with the edge.
  const std::size_t edge = width_ - std::min(width_, cells(right));
  const std::size_t at = std::max(used + 1, std::min(start, edge));
  out_.append(at - used, ' ');
  put(style, right);
  end_line();
}

void Canvas::footnote(const std::string& text) {
  const std::string shown = glyph_choice_ == Glyphs::ascii ? in_ascii(text) : text;
  for (const Spans& line : wrapped(tokens_of(shown, Style::dim), width_ - 4)) {
    out_ += "  ";
    for (const Span& span : line) put(span.style, span.text);
    end_line();
  }
}

void Canvas::words(const std::string& text, const std::string& rules, Row first) {
  const bool ascii = glyph_choice_ == Glyphs::ascii;
  Spans tokens = tokens_of(ascii ? in_ascii(text) : text, Style::plain);
  std::string rest = rules.empty() ? "" : '[' + (ascii ? in_ascii(rules) : rules) + ']';
  while (!rest.empty()) {  // a rule stays in one piece
    const std::size_t comma = rest.find(", ");
    const std::size_t end = comma == std::string::npos ? rest.size() : comma + 1;
    tokens.push_back({Style::dim, rest.substr(0, end)});
    rest.erase(0, std::min(rest.size(), end + 1));
  }
  for (Spans& line : wrapped(tokens, inner() - 6)) {
    line.insert(line.begin(), {Style::plain, "    "});
    first.middle = std::move(line);
    row(first);
    first = {};
  }
}

std::vector<Spans> Canvas::wrapped(const Spans& tokens, std::size_t width) const {
  std::vector<Spans> lines;
  std::size_t used = 0;
  for (const Span& token : tokens) {
    const std::size_t wanted = cells(token.text);
    if (lines.empty() || used + 1 + wanted > width) {
      lines.emplace_back();
      used = 0;
    } else {
      lines.back().push_back({Style::plain, " "});
      ++used;
    }
    lines.back().push_back(token);
    used += wanted;
  }
  return lines;
}

Spans tokens_of(const std::string& text, Style style) {
  Spans tokens;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t blank = std::min(text.find(' ', at), text.size());
    if (blank > at) tokens.push_back({style, text.substr(at, blank - at)});
    at = blank + 1;
  }
  return tokens;
}

}  // namespace estab::trace
