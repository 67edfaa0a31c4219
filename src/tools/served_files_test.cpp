#include "tools/served_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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
    std::string text(file.facts.size + 1, '\0');
    const ssize_t length = pread(file.descriptor.number(), text.data(), text.size(), 0);
    return length < 0 ? "not read" : text.substr(0, static_cast<std::size_t>(length));
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

// The same on a kernel without openat2.
TEST_F(ServedFilesTest, AreReachedByLinksThatEndInsideAndNoOthers) {
  fs::create_symlink("plain/b", root_ / "relative");
  fs::create_symlink(root_ / "plain" / "b", root_ / "absolute");
  fs::create_symlink("../served/plain/b", root_ / "out_and_in");
  fs::create_directory_symlink(root_ / "plain", root_ / "directory");
  fs::create_symlink(above_ / "secret", root_ / "out");
  fs::create_directory(above_ / "served2");
  write(above_ / "served2" / "c", "not ours");
  fs::create_symlink(above_ / "served2" / "c", root_ / "neighbour");
  fs::create_symlink("/proc/self/root" / (above_ / "secret").relative_path(), root_ / "magic");
  fs::create_symlink("loop", root_ / "loop");
  for (auto lookup : {ServedFiles::Lookup::beneath, ServedFiles::Lookup::by_place}) {
    auto files = ServedFiles::open(root_.string(), lookup);
    for (const char* path : {"/plain/b", "/relative", "/absolute", "/out_and_in", "/directory/b"}) {
      auto found = files->find(path);
      ASSERT_TRUE(found) << path;
      EXPECT_EQ(text_of(std::get<ServedFile>(*found)), "bb") << path;
    }
    EXPECT_TRUE(files->find("/plain/"));
    for (const char* path : {"/out", "/neighbour", "/magic", "/loop", "/../secret"})
      EXPECT_EQ(files->find(path).error(), Status::not_found) << path;
  }
}

TEST_F(ServedFilesTest, MayBelongToTheRootOfTheFileSystem) {
  auto files = ServedFiles::open("/", ServedFiles::Lookup::by_place);
  EXPECT_TRUE(files->find((root_ / "a.txt").string()));
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

TEST_F(ServedFilesTest, CannotBeServedFromWhatIsNoDirectory) {
  EXPECT_FALSE(ServedFiles::open((root_ / "a.txt").string()));
  EXPECT_FALSE(ServedFiles::open((root_ / "none").string()));
}

}  // namespace
}  // namespace estab::tools
