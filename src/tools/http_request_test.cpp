#include "tools/http_request.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nHost: estab\r\nAccept: */*\r\n\r\n";

Status refused(std::string_view head) {
  auto request = parse_request(head, {});
  return request ? Status::ok : request.error();
}

TEST(HttpRequest, IsAMethodATargetAndFields) {
  auto request = parse_request(kGet, {});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->target, "/a?b");
  EXPECT_EQ(request->minor_version, 1);
  EXPECT_EQ(request->fields.find("host"), "estab");
  EXPECT_FALSE(request->has_content());
}

TEST(HttpRequest, MayEndItsLinesWithABareLineFeed) {
  EXPECT_TRUE(parse_request("GET / HTTP/1.1\nHost: estab\n\n", {}));
}

TEST(HttpRequest, NeedsExactlyOneHostInHttp11) {
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET / HTTP/1.0\r\n\r\n"), Status::ok);
}

TEST(HttpRequest, IsRefusedWithTheStatusThatSaysWhy) {
  EXPECT_EQ(refused("GET /\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET / HTTP/11\r\nHost: a\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET / http/1.1\r\nHost: a\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), Status::version_not_supported);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"), Status::bad_request);
}

TEST(HttpRequest, WithAmbiguousFramingIsRefused) {
  auto with = [](std::string_view fields) {
    return refused("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
  };
  EXPECT_EQ(with("Content-Length: 5\r\n"), Status::ok);
  EXPECT_EQ(with("Content-Length: five\r\n"), Status::bad_request);
  EXPECT_EQ(with("Content-Length: -5\r\n"), Status::bad_request);
  EXPECT_EQ(with("Content-Length: 5\r\nContent-Length: 6\r\n"), Status::bad_request);
  EXPECT_EQ(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Status::bad_request);
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\n"), Status::ok);
  EXPECT_EQ(with("Transfer-Encoding: gzip, chunked\r\n"), Status::not_implemented);
  EXPECT_EQ(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Status::bad_request);
}

TEST(HttpRequest, SaysWhetherTheConnectionStaysOpen) {
  auto keeps = [](std::string_view head) { return parse_request(head, {})->keep_alive(); };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestReader, ReadsPipelinedRequestsOneAtATime) {
  RequestReader reader;
  reader.push(std::string(kGet) + "HEAD /second HTTP/1.1\r\nHost: b\r\n\r\nGET /th");
  EXPECT_EQ(reader.next().value()->target, "/a?b");
  EXPECT_EQ(reader.next().value()->target, "/second");
  EXPECT_FALSE(reader.idle());
  EXPECT_FALSE(reader.next().value());
  reader.push("ird HTTP/1.1\r\nHost: c\r\n\r\n");
  EXPECT_EQ(reader.next().value()->target, "/third");
  EXPECT_TRUE(reader.idle());
  EXPECT_FALSE(reader.next().value());
}

TEST(RequestReader, ReadsTheSameHoweverTheOctetsTrickleIn) {
  RequestReader reader;
  std::string octets = "\r\n" + std::string(kGet) + "\r\n\n" + std::string(kGet);
  int requests = 0;
  for (char octet : octets) {
    reader.push({&octet, 1});
    auto request = reader.next();
    ASSERT_TRUE(request);
    if (!*request) continue;
    ++requests;
    EXPECT_EQ((*request)->target, "/a?b");
    EXPECT_EQ((*request)->fields.size(), 2u);
  }
  EXPECT_EQ(requests, 2);
}

TEST(RequestReader, IsIdleAfterEmptyLinesOnly) {
  RequestReader reader;
  reader.push("\r\n\r\n");
  EXPECT_FALSE(reader.next().value());
  EXPECT_TRUE(reader.idle());
}

TEST(RequestReader, RefusesAtItsFirstOctetWhatCannotBecomeAMethod) {
  for (const std::string_view begin :
       {"\x16\x03\x01", "\x80", " ", ":", "\"GET", "(", "\r\n\x16"}) {
    RequestReader reader;
    reader.push(begin);
    EXPECT_EQ(reader.next().error(), Status::bad_request) << begin;
  }
  RequestReader ssh;
  ssh.push("SSH-2.0-OpenSSH_9.2\r");
  EXPECT_EQ(ssh.next().error(), Status::bad_request) << "no line end where a space must be";
  RequestReader method;
  method.push("PROPFIND");
  EXPECT_FALSE(method.next().value()) << "it may go on";
}

TEST(RequestReader, StopsAtALineThatIsTooLong) {
  RequestLimits limits{.line = 100, .head = 1000, .fields = 5};
  RequestReader without_end(limits);
  without_end.push("GET /" + std::string(100, 'a'));
  EXPECT_EQ(without_end.next().error(), Status::uri_too_long);
  RequestReader with_end(limits);
  with_end.push("GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(with_end.next().error(), Status::uri_too_long);
}

TEST(RequestReader, StopsAtAHeadThatIsTooLarge) {
  RequestLimits limits{.line = 100, .head = 1000, .fields = 5};
  RequestReader endless(limits);
  endless.push("GET / HTTP/1.1\r\n");
  std::expected<std::optional<Request>, Status> result = std::nullopt;
  int pushes = 0;
  for (; result && pushes < 1000; ++pushes) {
    endless.push("X: 0123456789\r\n");
    result = endless.next();
  }
  EXPECT_EQ(result.error(), Status::head_too_large);
  EXPECT_LT(pushes, 100);
  RequestReader many(limits);
  many.push("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n");
  EXPECT_EQ(many.next().error(), Status::head_too_large);
}

TEST(HttpPath, IsDecodedAndResolved) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("/a/b.txt?x=/../y"), "/a/b.txt");
  EXPECT_EQ(path_of("/a%20b/"), "/a b/");
  EXPECT_EQ(path_of("//a///b"), "/a/b");
  EXPECT_EQ(path_of("/a/./b/../c"), "/a/c");
  EXPECT_EQ(path_of("/a/.."), "/");
  EXPECT_EQ(path_of("http://estab:80/x"), "/x");
  EXPECT_EQ(path_of("http://estab"), "/");
  EXPECT_EQ(path_of("/%2541"), "/%41");  // decoded once only
}

TEST(HttpPath, NeverLeadsAboveTheRoot) {
  for (const char* target :
       {"/..", "/../etc/passwd", "/%2e%2e/etc", "/a/../../etc", "/..%2fetc", "/a/%2e%2E/%2e./etc"})
    EXPECT_EQ(path_of(target).error(), Status::bad_request) << target;
}

TEST(HttpPath, RefusesWhatIsMalformed) {
  for (const char* target : {"*", "a", "/%", "/%zz", "/a%00b", "estab:443"})
    EXPECT_EQ(path_of(target).error(), Status::bad_request) << target;
}

}  // namespace
}  // namespace estab::tools
