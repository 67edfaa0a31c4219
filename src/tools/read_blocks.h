// Memory to read files into and lend to connections. Law: a block is somebody's until the last who
// holds it lets go (for one that was lent: until the peer has acknowledged it), and is then used
// again, the latest first, so that it is still in the processor's caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace estab::tools {

class ReadBlocks {
 public:
  using Block = std::shared_ptr<std::uint8_t[]>;

  /// Blocks of `octets` are kept for the next, `kept` of them at most.
  explicit ReadBlocks(std::size_t octets, std::size_t kept = 32);

  /// At least `octets` of memory, with anything in it. May outlive this object.
  Block take(std::size_t octets);
  /// Octets of all blocks that somebody holds.
  std::size_t held() const;

 private:
  class Shelf;
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace estab::tools
