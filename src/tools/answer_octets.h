// The octets of one answer, in order: its head, its texts, and the parts of the file, which are
// read when their turn comes. Law: every octet that is said to be the file's was read from it; a
// file that has become shorter ends the answer, it is never filled up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "estab/octets.h"

#include "tools/http.h"
#include "tools/served_files.h"

namespace estab::tools {

class AnswerOctets {
 public:
  /// Both must stay; `file` may be null if no part of one is sent.
  AnswerOctets(const Response& response, const ServedFile* file);

  /// Octets still to come, of the head and the body.
  std::uint64_t left() const { return left_; }
  /// The next octets: as many as fit and are left. Nothing if the file does not have them, or
  /// cannot be read.
  std::optional<std::size_t> read(MutableOctets into);

 private:
  std::optional<std::size_t> read_piece(const BodyPiece& piece, MutableOctets into) const;
  static std::uint64_t size_of(const BodyPiece& piece);

  const Response& response_;
  const ServedFile* file_;
  BodyPiece head_;
  std::size_t piece_ = 0;   // 0 is the head, then the pieces of the body
  std::uint64_t done_ = 0;  // of that piece
  std::uint64_t left_;
};

}  // namespace estab::tools
