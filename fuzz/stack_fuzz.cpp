// A program of frames, calls and time against a whole stack: see stack_machine.h.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/stack_machine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  estab::fuzz::StackMachine machine({data, size});
  machine.run();
  if (machine.complaint().empty()) return 0;
  std::fprintf(stderr, "%s\n", machine.complaint().c_str());
  std::abort();
}
