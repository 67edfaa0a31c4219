#include "tools/http.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

const FileFacts kFile{.size = 100,
                      .modified = 784111777,  // Sun, 06 Nov 1994 08:49:37 GMT
                      .etag = "\"abc\"",
                      .content_type = "text/plain"};
const Occasion kOccasion{.now = 784111777 + 3600, .boundary = "BOUNDARY"};

Request request(std::string_view line, std::string_view fields = "") {
  std::string head = std::string(line) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
  return *parse_request(head, {});
}

Response get(std::string_view fields) {
  return answer_with_file(request("GET /", fields), kFile, kOccasion);
}

bool has(const Response& response, std::string_view line) {
  return response.head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

// The body as it would go out, the file being `0123456789` over and over.
std::string body_of(const Response& response) {
  std::string body;
  for (const BodyPiece& piece : response.body) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      body += *text;
      continue;
    }
    auto range = std::get<OctetRange>(piece);
    for (std::uint64_t i = 0; i < range.length; ++i)
      body += static_cast<char>('0' + (range.first + i) % 10);
  }
  EXPECT_EQ(body.size(), response.body_octets);
  return body;
}

TEST(HttpAnswer, IsTheWholeFile) {
  Response response = get("");
  EXPECT_EQ(response.head,
            "HTTP/1.1 200 OK\r\n"
            "Date: Sun, 06 Nov 1994 09:49:37 GMT\r\n"
            "Server: estab\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "ETag: \"abc\"\r\n"
            "Accept-Ranges: bytes\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Length: 100\r\n"
            "Connection: keep-alive\r\n\r\n");
  EXPECT_EQ(response.body, (std::vector<BodyPiece>{OctetRange{0, 100}}));
  EXPECT_EQ(response.body_octets, 100u);
}

TEST(HttpAnswer, ToHeadIsTheSameHeadWithoutTheBody) {
  Response response = answer_with_file(request("HEAD /", "Range: bytes=0-1\r\n"), kFile, kOccasion);
  EXPECT_EQ(response.head, get("").head);
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(response.body_octets, 0u);
  Response missing = answer_with_error(request("HEAD /"), Status::not_found, kOccasion);
  EXPECT_TRUE(missing.body.empty());
  EXPECT_TRUE(has(missing, "Content-Length: 14"));
}

TEST(HttpAnswer, IsOnePartForOneRange) {
  Response response = get("Range: bytes=15-19\r\n");
  EXPECT_EQ(response.status, Status::partial_content);
  EXPECT_TRUE(has(response, "Content-Range: bytes 15-19/100"));
  EXPECT_TRUE(has(response, "Content-Length: 5"));
  EXPECT_EQ(body_of(response), "56789");
}

TEST(HttpAnswer, IsMultipartForSeveralRanges) {
  Response response = get("Range: bytes=0-1,-3\r\n");
  EXPECT_EQ(response.status, Status::partial_content);
  EXPECT_TRUE(has(response, "Content-Type: multipart/byteranges; boundary=BOUNDARY"));
  EXPECT_FALSE(has(response, "Content-Range: bytes 0-1/100"));
  std::string body = body_of(response);
  EXPECT_EQ(
      body,
      "--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/100\r\n\r\n01"
      "\r\n--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 97-99/100\r\n\r\n789"
      "\r\n--BOUNDARY--\r\n");
  EXPECT_TRUE(has(response, "Content-Length: " + std::to_string(body.size())));
}

TEST(HttpAnswer, IsOnePartWhenOnlyOneOfSeveralCanBeSatisfied) {
  Response response = get("Range: bytes=0-1,100-\r\n");
  EXPECT_TRUE(has(response, "Content-Range: bytes 0-1/100"));
}

TEST(HttpAnswer, SaysTheSizeWhenNoRangeCanBeSatisfied) {
  Response response = get("Range: bytes=100-\r\n");
  EXPECT_EQ(response.status, Status::range_not_satisfiable);
  EXPECT_TRUE(has(response, "Content-Range: bytes */100"));
  EXPECT_EQ(response.persistence, Persistence::keep_alive);
}

TEST(HttpAnswer, MindsIfRange) {
  auto status = [](std::string_view validator) {
    return get("Range: bytes=0-1\r\nIf-Range: " + std::string(validator) + "\r\n").status;
  };
  EXPECT_EQ(status("\"abc\""), Status::partial_content);
  EXPECT_EQ(status("\"abd\""), Status::ok);
  EXPECT_EQ(status("W/\"abc\""), Status::ok);
  EXPECT_EQ(status("Sun, 06 Nov 1994 08:49:37 GMT"), Status::partial_content);
  EXPECT_EQ(status("Sun, 06 Nov 1994 08:49:38 GMT"), Status::ok);
  EXPECT_EQ(status("nonsense"), Status::ok);
}

TEST(HttpAnswer, IsNotModifiedWhenTheClientHasIt) {
  for (const char* fields :
       {"If-None-Match: \"abc\"\r\n", "If-None-Match: \"x\", W/\"abc\"\r\n", "If-None-Match: *\r\n",
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"}) {
    Response response = get(fields);
    EXPECT_EQ(response.status, Status::not_modified) << fields;
    EXPECT_TRUE(has(response, "ETag: \"abc\"")) << fields;
    EXPECT_EQ(response.head.find("Content-Length"), std::string::npos) << fields;
    EXPECT_TRUE(response.body.empty()) << fields;
  }
}

TEST(HttpAnswer, IsSentWhenTheClientsCopyIsOld) {
  for (const char* fields :
       {"If-None-Match: \"x\"\r\n", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n",
        "If-Modified-Since: yesterday\r\n",
        // If-None-Match makes If-Modified-Since moot.
        "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"})
    EXPECT_EQ(get(fields).status, Status::ok) << fields;
}

TEST(HttpAnswer, RefusesWhenAPreconditionFails) {
  EXPECT_EQ(get("If-Match: \"x\"\r\n").status, Status::precondition_failed);
  EXPECT_EQ(get("If-Match: W/\"abc\"\r\n").status, Status::precondition_failed);
  EXPECT_EQ(get("If-Match: \"abc\"\r\n").status, Status::ok);
  EXPECT_EQ(get("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n").status,
            Status::precondition_failed);
  EXPECT_EQ(get("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status, Status::ok);
}

TEST(HttpAnswer, NeverNamesATimeOfChangeInTheFuture) {
  FileFacts file = kFile;
  file.modified = kOccasion.now + 1000;
  Response response = answer_with_file(request("GET /"), file, kOccasion);
  EXPECT_TRUE(has(response, "Last-Modified: " + format_http_date(kOccasion.now)));
}

TEST(HttpAnswer, ClosesWhenAskedToOrWhenContentFollows) {
  EXPECT_EQ(get("").persistence, Persistence::keep_alive);
  EXPECT_EQ(get("Connection: close\r\n").persistence, Persistence::close);
  EXPECT_TRUE(has(get("Connection: close\r\n"), "Connection: close"));
  EXPECT_EQ(get("Content-Length: 5\r\n").persistence, Persistence::close);
  EXPECT_EQ(get("Content-Length: 0\r\n").persistence, Persistence::keep_alive);
  EXPECT_EQ(get("Transfer-Encoding: chunked\r\n").persistence, Persistence::close);
}

TEST(HttpAnswer, ClosesWhenTheServerIsAboutToEnd) {
  Occasion ending = kOccasion;
  ending.allowed = Persistence::close;
  Response response = answer_with_file(request("GET /"), kFile, ending);
  EXPECT_EQ(response.persistence, Persistence::close);
  EXPECT_TRUE(has(response, "Connection: close"));
}

TEST(HttpAnswer, ServesAnEmptyFile) {
  FileFacts file = kFile;
  file.size = 0;
  Response response = answer_with_file(request("GET /", "Range: bytes=0-\r\n"), file, kOccasion);
  EXPECT_EQ(response.status, Status::ok);
  EXPECT_EQ(response.body_octets, 0u);
  EXPECT_TRUE(has(response, "Content-Length: 0"));
}

TEST(HttpMethods, OtherThanGetAndHeadAreNotAllowedOrNotImplemented) {
  EXPECT_EQ(check_method(request("GET /")), std::nullopt);
  EXPECT_EQ(check_method(request("HEAD /")), std::nullopt);
  for (const char* known : {"POST /", "PUT /", "DELETE /", "OPTIONS *", "TRACE /", "PATCH /"})
    EXPECT_EQ(check_method(request(known)), Status::method_not_allowed) << known;
  EXPECT_EQ(check_method(request("BREW /")), Status::not_implemented);
  EXPECT_EQ(check_method(request("get /")), Status::not_implemented);
  Response refusal = answer_with_error(request("POST /"), Status::method_not_allowed, kOccasion);
  EXPECT_TRUE(has(refusal, "Allow: GET, HEAD"));
}

TEST(HttpErrors, EachHaveAReasonAndABody) {
  for (Status status :
       {Status::bad_request, Status::uri_too_long, Status::head_too_large, Status::not_implemented,
        Status::version_not_supported, Status::request_timeout}) {
    Response response = answer_to_garbage(status, kOccasion);
    EXPECT_NE(reason(status), "Unknown");
    EXPECT_EQ(body_of(response),
              std::to_string(static_cast<int>(status)) + " " + std::string(reason(status)) + "\n");
    EXPECT_EQ(response.persistence, Persistence::close);
    EXPECT_TRUE(has(response, "Connection: close"));
  }
}

TEST(HttpRedirect, NamesWhereTo) {
  Response response = answer_with_redirect(request("GET /a"), "/a/", kOccasion);
  EXPECT_EQ(response.status, Status::moved_permanently);
  EXPECT_TRUE(has(response, "Location: /a/"));
}

TEST(HttpContentType, GoesByTheEnding) {
  EXPECT_EQ(content_type_of("/a/index.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type_of("a.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_of("/a.html/b"), "application/octet-stream");
  EXPECT_EQ(content_type_of("a."), "application/octet-stream");
}

TEST(HttpListing, EscapesNamesForLinksAndForReading) {
  std::string page = listing("/<dir>/", {{"b&\"<i>.txt", false, 5}, {"a:x", true, 0}});
  EXPECT_NE(page.find("<h1>/&lt;dir&gt;/</h1>"), std::string::npos);
  EXPECT_NE(page.find("<li><a href=\"./a%3Ax/\">a:x/</a></li>"), std::string::npos);
  EXPECT_NE(
      page.find("<li><a href=\"./b%26%22%3Ci%3E.txt\">b&amp;&quot;&lt;i&gt;.txt</a> 5 octets"),
      std::string::npos);
  EXPECT_LT(page.find("a:x"), page.find("b&amp;"));
  EXPECT_NE(page.find("../"), std::string::npos);
  EXPECT_EQ(listing("/", {}).find("../"), std::string::npos);
}

}  // namespace
}  // namespace estab::tools
