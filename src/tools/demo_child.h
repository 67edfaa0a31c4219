// A program run beside a Host: started, waited for without blocking, and its output collected.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include <sys/types.h>

#include "estab/host.h"

#include "device/file_descriptor.h"

namespace estab::tools {

struct ChildResult {
  int exit_code = -1;  ///< 128 + the signal if one ended it
  std::string output;  ///< its standard output, the first 64 KiB
};

class Child {
 public:
  /// The program is looked for in PATH. The error says why it did not start.
  static std::expected<Child, std::string> start(const std::vector<std::string>& arguments);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  /// Ends it if it still runs.
  ~Child();

  Task<ChildResult> wait(Host& host);

 private:
  Child(pid_t pid, device::FileDescriptor process, device::FileDescriptor output)
      : pid_(pid), process_(std::move(process)), output_(std::move(output)) {}

  pid_t pid_;
  device::FileDescriptor process_;  // a pidfd: readable once it has ended
  device::FileDescriptor output_;
};

}  // namespace estab::tools
