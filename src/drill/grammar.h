// The parts of the grammar, each reading from where the lexer stands. They throw SyntaxError.
#pragma once

#include "drill/lexer.h"
#include "drill/script.h"

namespace estab::drill {

/// `0.25` and the like, exactly.
Duration parse_seconds(Lexer& lexer);

/// `read(4, ..., 1000) = 1000`; what stands before it has been read.
SystemCall parse_system_call(Lexer& lexer);
Expression parse_expression(Lexer& lexer);

/// From the `<` or `>` on.
PacketSpec parse_packet(Lexer& lexer);

/// From behind the `<` of the options up to and including their `>`.
void parse_tcp_options(Lexer& lexer, TcpSpec& tcp);

/// `1:1001(1000)`.
struct SequenceRange {
  std::uint32_t first = 0;
  std::uint32_t length = 0;
};
SequenceRange parse_sequence_range(Lexer& lexer);

}  // namespace estab::drill
