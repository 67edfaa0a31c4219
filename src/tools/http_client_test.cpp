#include "tools/http_client.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

struct Outcome {
  std::string body;
  std::string error;
  bool complete = false;
  std::size_t unread = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Feeds `octets` in pieces of `piece` and takes at most `most` of the body at a time, as from a
// stream that is peeked at and consumed.
Outcome read_in_pieces(std::string_view octets, std::size_t piece, std::size_t most,
                       Method method = Method::get) {
  ResponseReader reader(method);
  Outcome outcome;
  std::size_t at = 0, arrived = 0;
  while (!reader.complete()) {
    if (at == arrived) {
      if (arrived == octets.size()) {
        auto end = reader.end();
        if (!end) outcome.error = end.error();
        break;
      }
      arrived = std::min(arrived + piece, octets.size());
    }
    auto step = reader.next(octets.substr(at, arrived - at));
    if (!step) {
      outcome.error = step.error();
      break;
    }
    std::string_view taken = step->body.substr(0, most);
    outcome.body += taken;
    reader.took(taken.size());
    at += step->framing + taken.size();
  }
  outcome.complete = reader.complete();
  outcome.unread = octets.size() - at;
  return outcome;
}

Outcome read(std::string_view octets, Method method = Method::get) {
  Outcome whole = read_in_pieces(octets, octets.size(), octets.size(), method);
  for (std::size_t piece : {1u, 2u, 7u}) {
    Outcome same = read_in_pieces(octets, piece, 3, method);
    EXPECT_EQ(same.body, whole.body) << "in pieces of " << piece;
    EXPECT_EQ(same.error, whole.error) << "in pieces of " << piece;
    EXPECT_EQ(same.complete, whole.complete) << "in pieces of " << piece;
  }
  return whole;
}

TEST(ResponseReader, ReadsABodyOfKnownLengthAndLeavesWhatFollows) {
  Outcome outcome = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1");
  EXPECT_EQ(outcome, (Outcome{"hello", "", true, 8}));
}

TEST(ResponseReader, ReadsChunksWithExtensionsAndTrailers) {
  Outcome outcome = read(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;ext=\"x\"\r\n,\r\nA\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n");
  EXPECT_EQ(outcome, (Outcome{"hello,0123456789", "", true, 0}));
}

TEST(ResponseReader, ReadsUntilTheServerClosesWhenNothingElseSaysTheEnd) {
  EXPECT_EQ(read("HTTP/1.0 200 OK\r\n\r\nhello"), (Outcome{"hello", "", true, 0}));
}

TEST(ResponseReader, KnowsThatSomeResponsesHaveNoBody) {
  EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n"), (Outcome{"", "", true, 0}));
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
            (Outcome{"", "", true, 0}));
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::head),
            (Outcome{"", "", true, 0}));
}

TEST(ResponseReader, PassesOverInterimResponses) {
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            (Outcome{"x", "", true, 0}));
}

TEST(ResponseReader, TakesBareLineFeedsAndAMissingReason) {
  EXPECT_EQ(read("HTTP/1.1 200\nContent-Length: 1\n\nx"), (Outcome{"x", "", true, 0}));
}

TEST(ResponseReader, NoticesABodyThatEndsTooSoon) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello").error,
            "the server closed the connection before the end of the body");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").error,
            "the server closed the connection before the end of the body");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\n").error,
            "the server closed the connection before the end of the header");
}

TEST(ResponseReader, SaysWhatTheServerDidWrong) {
  EXPECT_EQ(read("SSH-2.0-OpenSSH\r\n\r\n").error, "the answer is not HTTP");
  EXPECT_EQ(read("HTTP/2 200\r\n\r\n").error, "the answer is not HTTP/1.x");
  EXPECT_EQ(read("HTTP/1.1 2x0 OK\r\n\r\n").error, "the status line is malformed");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nbad field\r\n\r\n").error, "a header field is malformed");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n").error,
            "the Content-Length is malformed");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n").error,
            "the server uses a transfer coding other than chunked");
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read(chunked + "xyz\r\n").error, "a chunk's size is malformed");
  EXPECT_EQ(read(chunked + "ffffffffffffffffff\r\n").error, "a chunk's size is malformed");
  EXPECT_EQ(read(chunked + "1\r\nab\r\n").error, "a chunk is longer than its size says");
}

TEST(ResponseReader, BoundsWhatItKeeps) {
  std::string endless = "HTTP/1.1 200 OK\r\n";
  while (endless.size() < 70'000) endless += "X: 0123456789012345678901234567890123456789\r\n";
  EXPECT_EQ(read(endless).error, "the header is longer than 64 KiB");
  EXPECT_EQ(
      read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(5000, '0')).error,
      "a line between chunks is too long");
}

TEST(ResponseReader, AcceptsEqualContentLengths) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
            (Outcome{"x", "", true, 0}));
}

}  // namespace
}  // namespace estab::tools
