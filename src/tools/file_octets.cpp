// Files in memory (served_files.h). A large part is mapped, so that its octets go from the page
// cache to the device without a copy of ours.
//
// The law: a page of a mapping whose file has shrunk raises SIGBUS when it is read. The handler
// puts a page of zeros in its place and goes on; the server looks at the file's size before each
// piece it sends, and resets the connection when it has shrunk, so that nobody takes zeros for the
// file.
#include <cerrno>
#include <csignal>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <sys/mman.h>
#include <sys/stat.h>

#include "tools/served_files.h"

namespace estab::tools {
namespace {

std::uintptr_t page_size() {
  static const auto size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// Every mapping, by its first address. The handler reads it on the thread that faulted: that thread
// was reading a file's octets, so it was not in the midst of changing the map.
std::map<std::uintptr_t, std::size_t>& mappings() {
  static std::map<std::uintptr_t, std::size_t> all;
  return all;
}

bool is_mapped(std::uintptr_t address) {
  auto after = mappings().upper_bound(address);
  if (after == mappings().begin()) return false;
  auto mapping = std::prev(after);
  return address - mapping->first < mapping->second;
}

void on_sigbus(int, siginfo_t* info, void*) {
  auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  std::uintptr_t page = address & ~(page_size() - 1);
  bool ours = info->si_code == BUS_ADRERR && is_mapped(address);
  if (ours && mmap(reinterpret_cast<void*>(page), page_size(), PROT_READ,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
    return;
  signal(SIGBUS, SIG_DFL);  // not ours: the faulting instruction runs again, and ends the program
}

void survive_truncation() {
  struct sigaction action{};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

class Mapping {
 public:
  Mapping(void* address, std::size_t length) : address_(address), length_(length) {
    mappings().emplace(reinterpret_cast<std::uintptr_t>(address), length);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    mappings().erase(reinterpret_cast<std::uintptr_t>(address_));
    munmap(address_, length_);
  }

 private:
  void* address_;
  std::size_t length_;
};

Status status_of_failure() {
  return errno == ENOMEM ? Status::unavailable : Status::internal_error;
}

std::expected<FileOctets, Status> copy(const ServedFile& file, const OctetRange& range) {
  auto octets = std::make_shared<std::vector<std::uint8_t>>(range.length);
  std::size_t done = 0;
  while (done < octets->size()) {
    ssize_t n = pread(file.descriptor.number(), octets->data() + done, octets->size() - done,
                      static_cast<off_t>(range.first + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::unexpected(Status::internal_error);
    done += static_cast<std::size_t>(n);
  }
  return FileOctets{*octets, octets};
}

std::expected<FileOctets, Status> map(const ServedFile& file, const OctetRange& range) {
  static std::once_flag prepared;
  std::call_once(prepared, survive_truncation);
  std::uint64_t start = range.first & ~std::uint64_t{page_size() - 1};
  std::size_t before = range.first - start, length = before + range.length;
  void* address = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file.descriptor.number(),
                       static_cast<off_t>(start));
  if (address == MAP_FAILED) return std::unexpected(status_of_failure());
  auto owner = std::make_shared<const Mapping>(address, length);
  madvise(address, length, MADV_SEQUENTIAL);
  return FileOctets{Octets(static_cast<const std::uint8_t*>(address) + before, range.length),
                    owner};
}

}  // namespace

std::expected<FileOctets, Status> load(const ServedFile& file, const OctetRange& range) {
  return range.length < kCopyBelow ? copy(file, range) : map(file, range);
}

bool still_holds(const ServedFile& file) {
  struct stat about{};
  return fstat(file.descriptor.number(), &about) == 0 &&
         static_cast<std::uint64_t>(about.st_size) >= file.facts.size;
}

}  // namespace estab::tools
