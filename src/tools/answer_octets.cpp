#include "tools/answer_octets.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace estab::tools {

AnswerOctets::AnswerOctets(const Response& response, const ServedFile* file)
    : response_(response),
      file_(file),
      head_(response.head),
      left_(response.head.size() + response.body_octets) {}

std::uint64_t AnswerOctets::size_of(const BodyPiece& piece) {
  if (const auto* text = std::get_if<std::string>(&piece)) return text->size();
  return std::get<OctetRange>(piece).length;
}

std::optional<std::size_t> AnswerOctets::read(MutableOctets into) {
  std::size_t filled = 0;
  while (filled < into.size() && left_ > 0) {
    const BodyPiece& piece = piece_ == 0 ? head_ : response_.body[piece_ - 1];
    if (done_ == size_of(piece)) {
      ++piece_;
      done_ = 0;
      continue;
    }
    const auto got = read_piece(piece, into.subspan(filled));
    if (!got) return std::nullopt;
    filled += *got;
    done_ += *got;
    left_ -= *got;
  }
  return filled;
}

std::optional<std::size_t> AnswerOctets::read_piece(const BodyPiece& piece,
                                                    MutableOctets into) const {
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(size_of(piece) - done_, into.size()));
  if (const auto* text = std::get_if<std::string>(&piece)) {
    std::memcpy(into.data(), text->data() + done_, wanted);
    return wanted;
  }
  const auto at = static_cast<off_t>(std::get<OctetRange>(piece).first + done_);
  ssize_t got = 0;
  do {
    got = pread(file_->descriptor.number(), into.data(), wanted, at);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;  // its end came too early, or it cannot be read
  return static_cast<std::size_t>(got);
}

}  // namespace estab::tools
