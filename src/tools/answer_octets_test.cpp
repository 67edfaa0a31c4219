#include "tools/answer_octets.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "device/file_descriptor.h"

namespace estab::tools {
namespace {

std::string pattern(std::size_t octets) {
  std::string text(octets, '\0');
  for (std::size_t i = 0; i < octets; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

// A file with that text, which has a name as long as it is used.
class TextFile {
 public:
  explicit TextFile(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "estab_answer_XXXXXX").string();
    file_.descriptor = FileDescriptor(mkstemp(name.data()));
    std::filesystem::remove(name);
    EXPECT_EQ(device::write_all(file_.descriptor.number(), as_octets(text)), 0);
    file_.facts.size = text.size();
  }
  const ServedFile& served() const { return file_; }
  void truncate(std::size_t octets) {
    EXPECT_EQ(ftruncate(file_.descriptor.number(), static_cast<off_t>(octets)), 0);
  }

 private:
  ServedFile file_;
};

Response response_with(std::vector<BodyPiece> body) {
  Response response{.head = "HEAD\r\n\r\n", .body = std::move(body)};
  for (const BodyPiece& piece : response.body) {
    const auto* text = std::get_if<std::string>(&piece);
    response.body_octets += text ? text->size() : std::get<OctetRange>(piece).length;
  }
  return response;
}

// All of it, `at_once` octets at a time; "short" if the file does not have them.
std::string read_all(AnswerOctets& answer, std::size_t at_once) {
  std::string all;
  std::vector<std::uint8_t> buffer(at_once);
  while (answer.left() > 0) {
    const auto got = answer.read(buffer);
    if (!got) return "short";
    EXPECT_TRUE(*got == at_once || answer.left() == 0) << "a buffer is filled before it is sent";
    all += as_text(Octets(buffer).first(*got));
  }
  return all;
}

TEST(AnswerOctets, AreTheHeadTheTextsAndThePartsOfTheFileInOrder) {
  const std::string text = pattern(300'000);
  const TextFile file(text);
  const Response response =
      response_with({OctetRange{4096, 70'000}, std::string("--between--"), OctetRange{0, 0},
                     OctetRange{299'999, 1}, std::string()});
  for (const std::size_t at_once : {1000u, 65'536u, 1'000'000u}) {
    AnswerOctets answer(response, &file.served());
    EXPECT_TRUE(read_all(answer, at_once) ==
                response.head + text.substr(4096, 70'000) + "--between--" + text.back())
        << at_once;
  }
}

TEST(AnswerOctets, NeedNoFileForATextOrAHeadAlone) {
  const Response page = response_with({std::string("page")}), head = response_with({});
  AnswerOctets of_page(page, nullptr), of_head(head, nullptr);
  EXPECT_EQ(read_all(of_page, 64), page.head + "page");
  EXPECT_EQ(read_all(of_head, 64), head.head);
}

TEST(AnswerOctets, AreNeverFilledUpForAFileThatHasBecomeShorter) {
  TextFile file(pattern(300'000));
  const Response response = response_with({OctetRange{0, 300'000}});
  AnswerOctets answer(response, &file.served());
  std::vector<std::uint8_t> buffer(100'000);
  ASSERT_TRUE(answer.read(buffer));
  file.truncate(150'000);
  EXPECT_EQ(answer.read(buffer), std::nullopt);
}

}  // namespace
}  // namespace estab::tools
