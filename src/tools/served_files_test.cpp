#include "tools/served_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace estab::tools {
namespace {

namespace fs = std::filesystem;

// A directory `served` with a file above it that must never be seen.
class ServedFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "estab_files_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    above_ = pattern;
    root_ = above_ / "served";
    fs::create_directory(root_);
    write(above_ / "secret", "secret");
    write(root_ / "a.txt", "hello");
    fs::create_directory(root_ / "with_index");
    write(root_ / "with_index" / "index.html", "<p>");
    fs::create_directory(root_ / "plain");
    write(root_ / "plain" / "b", "bb");
  }
  void TearDown() override { fs::remove_all(above_); }

  static void write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string text_of(const ServedFile& file) {
    auto loaded = load(file, {0, file.facts.size});
    return loaded ? std::string(as_text(loaded->octets)) : "not loaded";
  }
  Status status(const std::string& path) {
    auto found = ServedFiles::open(root_.string())->find(path);
    return found ? Status::ok : found.error();
  }
  Served find(const std::string& path) {
    auto found = ServedFiles::open(root_.string())->find(path);
    EXPECT_TRUE(found) << path;
    return found ? std::move(*found) : Served();
  }

  fs::path above_, root_;
};

TEST_F(ServedFilesTest, AreFoundWithTheirFacts) {
  Served found = find("/a.txt");
  const auto& file = std::get<ServedFile>(found);
  EXPECT_EQ(file.facts.size, 5u);
  EXPECT_EQ(file.facts.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(text_of(file), "hello");
  EXPECT_TRUE(file.facts.etag.starts_with('"') && file.facts.etag.ends_with('"'));
}

TEST_F(ServedFilesTest, HaveAnotherTagOnceTheyHaveChanged) {
  auto tag = [&] { return std::get<ServedFile>(find("/a.txt")).facts.etag; };
  std::string before = tag();
  EXPECT_EQ(tag(), before);
  write(root_ / "a.txt", "hello!");
  EXPECT_NE(tag(), before);
}

TEST_F(ServedFilesTest, OutsideTheDirectoryAreNotFound) {
  fs::create_symlink("../secret", root_ / "relative_out");
  fs::create_symlink(above_ / "secret", root_ / "absolute_out");
  fs::create_directory_symlink("..", root_ / "up");
  EXPECT_EQ(status("/relative_out"), Status::not_found);
  EXPECT_EQ(status("/absolute_out"), Status::not_found);
  EXPECT_EQ(status("/up/secret"), Status::not_found);
  EXPECT_EQ(status("/../secret"), Status::not_found);
  EXPECT_EQ(status("//etc/passwd"), Status::not_found);
}

TEST_F(ServedFilesTest, AreReachedThroughNoLinkAtAllOnAnOldKernel) {
  fs::create_symlink("plain/b", root_ / "inside");
  fs::create_directory_symlink("plain", root_ / "also");
  auto files = ServedFiles::open(root_.string(), ServedFiles::Lookup::without_links);
  EXPECT_TRUE(files->find("/plain/b"));
  EXPECT_TRUE(files->find("/plain/"));
  EXPECT_EQ(files->find("/inside").error(), Status::not_found);
  EXPECT_EQ(files->find("/also/b").error(), Status::not_found);
  EXPECT_EQ(files->find("/../secret").error(), Status::not_found);
}

TEST_F(ServedFilesTest, MayBeReachedByALinkThatStaysInside) {
  fs::create_symlink("plain/b", root_ / "inside");
  EXPECT_EQ(text_of(std::get<ServedFile>(find("/inside"))), "bb");
}

TEST_F(ServedFilesTest, AreRefusedWhenTheyAreNoFiles) {
  ASSERT_EQ(mkfifo((root_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(status("/fifo"), Status::forbidden);
  EXPECT_EQ(status("/none"), Status::not_found);
  EXPECT_EQ(status("/a.txt/"), Status::not_found);
  EXPECT_EQ(status("/a.txt/b"), Status::not_found);
  EXPECT_EQ(status("/" + std::string(300, 'x')), Status::not_found);
}

TEST_F(ServedFilesTest, StandForADirectoryAsItsIndexOrItsList) {
  EXPECT_EQ(text_of(std::get<ServedFile>(find("/with_index/"))), "<p>");
  EXPECT_TRUE(std::holds_alternative<ServedDirectory>(find("/with_index")));
  Served listed = find("/plain/");
  const auto& directory = std::get<ServedDirectory>(listed);
  ASSERT_EQ(directory.entries.size(), 1u);
  EXPECT_EQ(directory.entries[0].name, "b");
  EXPECT_EQ(directory.entries[0].size, 2u);
  EXPECT_FALSE(directory.entries[0].is_directory);
  EXPECT_EQ(std::get<ServedDirectory>(find("/")).entries.size(), 3u);
}

TEST_F(ServedFilesTest, AreMappedFromAnyOffset) {
  std::string text(300'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  write(root_ / "large", text);
  Served found = find("/large");
  const auto& file = std::get<ServedFile>(found);
  for (OctetRange range : {OctetRange{0, 300'000}, OctetRange{12'345, 200'000},
                           OctetRange{299'999, 1}, OctetRange{4096, 65536}}) {
    auto loaded = load(file, range);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(as_text(loaded->octets), std::string_view(text).substr(range.first, range.length));
  }
}

TEST_F(ServedFilesTest, ThatShrinkWhileMappedReadAsZerosAndAreKnownToHaveShrunk) {
  write(root_ / "large", std::string(300'000, 'x'));
  Served found = find("/large");
  const auto& file = std::get<ServedFile>(found);
  auto loaded = load(file, {0, file.facts.size});
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(still_holds(file));
  fs::resize_file(root_ / "large", 4096);
  EXPECT_FALSE(still_holds(file));
  EXPECT_EQ(loaded->octets[4095], 'x');
  EXPECT_EQ(loaded->octets[200'000], 0);
}

TEST_F(ServedFilesTest, CannotBeServedFromWhatIsNoDirectory) {
  EXPECT_FALSE(ServedFiles::open((root_ / "a.txt").string()));
  EXPECT_FALSE(ServedFiles::open((root_ / "none").string()));
}

}  // namespace
}  // namespace estab::tools
