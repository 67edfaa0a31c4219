// How commands speak: data on stdout, log on stderr, one JSON document with --json, and colour only
// on a terminal of somebody who has not asked for none (NO_COLOR).
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

namespace estab::tools {

enum class ReportFormat { text, json };

/// `--json`.
void add_json_flag(CLI::App& command, ReportFormat& format);
/// Indented, with a line end; a text that is not UTF-8 has its bad octets replaced.
void print_json(std::FILE* out, const nlohmann::ordered_json& document);

/// Columns of the terminal, or 0 if the file is none.
int terminal_width(std::FILE* file);

enum class Colour { plain, green, yellow, red, dim };
/// The text in that colour if `out` is a terminal and NO_COLOR is not set; else as it is.
std::string paint(std::FILE* out, Colour colour, std::string_view text);

/// One line on stderr, after "estab: ".
void log_line(std::string_view text);

}  // namespace estab::tools
