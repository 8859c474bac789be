#pragma once
/// Which parts of a table's area are in use: a buddy allocator over words of 8 bytes, kept in the node's own memory, so
/// that no client can confuse it. Chunks are powers of two, from 64 words (512 bytes) on; freed neighbours join. A few of
/// each order are kept as they are for whoever comes next: records that travel come and go all the time.
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace floe {

class chunk_pool {
 public:
  static constexpr unsigned smallest_order = 6;
  /// `words`: a power of two.
  explicit chunk_pool(std::uint32_t words);
  /// The order that holds so many words.
  static unsigned order_for(std::size_t words);
  std::optional<std::uint32_t> take(unsigned order);
  void give_back(std::uint32_t at, unsigned order);
  unsigned highest_order() const {
    return smallest_order + static_cast<unsigned>(free_.size()) - 1;
  }

 private:
  static constexpr std::size_t kept_max = 8;
  std::set<std::uint32_t>& free_of(unsigned order) { return free_[order - smallest_order]; }
  std::optional<std::uint32_t> split(unsigned order);
  void join(std::uint32_t at, unsigned order);
  std::vector<std::set<std::uint32_t>>
      free_;  ///< by order; lowest first, so that few pages are touched
  std::vector<std::vector<std::uint32_t>> kept_;  ///< by order; free, and joined with nothing yet
};

}  // namespace floe
