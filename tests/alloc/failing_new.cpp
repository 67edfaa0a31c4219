// operator new that fails when told to, and counts what has not been given back.
#include "failing_new.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace {

int scarce_depth = 0;
std::uint64_t first_to_fail = 0, how_many = 0, counted = 0, failed = 0;
std::size_t live = 0;

bool fails_now() {
  if (scarce_depth == 0) return false;
  ++counted;
  if (first_to_fail == 0 || counted < first_to_fail || counted - first_to_fail >= how_many)
    return false;
  ++failed;
  return true;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (fails_now()) return nullptr;
  const std::size_t whole = (size + alignment) / alignment * alignment;
  void* const memory = alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, whole)
                                                             : std::malloc(whole);
  if (memory) ++live;
  return memory;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const memory = allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}

void release(void* memory) {
  if (!memory) return;
  --live;
  std::free(memory);
}

constexpr std::size_t kUsual = alignof(std::max_align_t);

}  // namespace

namespace estab::test {

void fail_requests(std::uint64_t first, std::uint64_t count) {
  first_to_fail = first;
  how_many = count;
  counted = failed = 0;
}
std::uint64_t requests() {
  return counted;
}
std::uint64_t failed_requests() {
  return failed;
}
std::size_t live_allocations() {
  return live;
}

Scarce::Scarce() {
  ++scarce_depth;
}
Scarce::~Scarce() {
  --scarce_depth;
}
Plenty::Plenty() : depth_(std::exchange(scarce_depth, 0)) {}
Plenty::~Plenty() {
  scarce_depth = depth_;
}

}  // namespace estab::test

// ---- what the program's every request goes through

void* operator new(std::size_t size) {
  return allocate_or_throw(size, kUsual);
}
void* operator new[](std::size_t size) {
  return allocate_or_throw(size, kUsual);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, kUsual);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, kUsual);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}
