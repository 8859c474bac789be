#include "actors/sim/own_memory.hpp"

#if defined(FLOE_SANITIZED) || defined(__SANITIZE_THREAD__)

bool floe::use_own_memory() { return false; }

#else

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace floe {
namespace {

constexpr std::size_t step = 16;                       ///< small sizes are multiples of it
constexpr std::size_t largest_step = 2048;             ///< above: powers of two
constexpr std::size_t largest = std::size_t{8} << 20;  ///< above: malloc's
constexpr std::size_t steps = largest_step / step;
constexpr std::size_t sizes = steps + 1 + std::bit_width(largest) - std::bit_width(largest_step);
/// Addresses are taken once, memory as it is used. All pieces of a span are of one size.
constexpr std::size_t region_bytes = std::size_t{4} << 30;
constexpr std::size_t span_bytes = std::size_t{64} << 10;
/// A simulation touches a few megabytes: as large pages they cost a handful of faults and not a thousand.
constexpr std::size_t large_page = std::size_t{2} << 20;

/// 1 to `steps` are multiples of `step`, those after it powers of two.
std::size_t size_for(std::size_t bytes) {
  if (bytes <= largest_step) [[likely]]
    return (bytes + step - 1) / step + (bytes == 0);
  return steps + std::bit_width(bytes - 1) + 1 - std::bit_width(largest_step);
}

constexpr std::size_t bytes_of(std::size_t size) {
  return size <= steps ? size * step : largest_step << (size - steps);
}
static_assert(bytes_of(sizes - 1) == largest);

struct free_piece {
  free_piece* next;
};

struct span_of_size {
  free_piece* free = nullptr;  ///< given back, the last one first
  std::byte* fresh = nullptr;  ///< not used yet
  std::byte* end = nullptr;
};

class region {
 public:
  constexpr region() = default;

  void open() {
    if (begin_) return;
    void* all = ::mmap(nullptr, region_bytes + large_page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return;
    const auto past = reinterpret_cast<std::uintptr_t>(all) % large_page;
    begin_ = next_ = static_cast<std::byte*>(all) + (past == 0 ? 0 : large_page - past);
    bytes_ = region_bytes;
    ::madvise(begin_, bytes_, MADV_HUGEPAGE);  // where there are none: pages of the usual size
  }
  bool has(const void* piece) const {
    return reinterpret_cast<std::uintptr_t>(piece) - reinterpret_cast<std::uintptr_t>(begin_) <
           bytes_;
  }
  bool is_open() const { return begin_ != nullptr; }
  /// Null if all addresses are in use.
  void* take(std::size_t bytes) {
    const auto size = size_for(bytes);
    auto& s = of_[size];
    if (auto* piece = s.free) {
      s.free = piece->next;
      return piece;
    }
    if (s.fresh == s.end && !add_span(s, size)) return nullptr;
    auto* piece = s.fresh;
    s.fresh += bytes_of(size);
    return piece;
  }
  void give_back(void* piece) {
    const auto at = static_cast<std::size_t>(static_cast<std::byte*>(piece) - begin_);
    auto& s = of_[size_of_span_[at / span_bytes]];
    s.free = new (piece) free_piece{s.free};
  }

 private:
  bool add_span(span_of_size& s, std::size_t size) {
    const auto piece = bytes_of(size);
    const auto span = std::max(piece, span_bytes);
    if (static_cast<std::size_t>(begin_ + bytes_ - next_) < span) return false;
    size_of_span_[static_cast<std::size_t>(next_ - begin_) / span_bytes] =
        static_cast<std::uint8_t>(size);
    s.fresh = next_;
    s.end = next_ + span / piece * piece;
    next_ += span;
    return true;
  }

  std::byte *begin_ = nullptr, *next_ = nullptr;
  std::size_t bytes_ = 0;
  std::array<span_of_size, sizes> of_{};
  static_assert(sizes <= 256, "a size is kept in one byte");
  std::array<std::uint8_t, region_bytes / span_bytes> size_of_span_{};
};

constinit region own_pages;
constinit thread_local bool used_here = false;

void* from_malloc(std::size_t bytes) {
  for (;;) {
    if (void* piece = std::malloc(bytes == 0 ? 1 : bytes)) return piece;
    const auto make_room = std::get_new_handler();
    if (!make_room) throw std::bad_alloc();
    make_room();
  }
}

}  // namespace

bool use_own_memory() {
  own_pages.open();
  return used_here = own_pages.is_open();
}

}  // namespace floe

void* operator new(std::size_t bytes) {
  using namespace floe;
  if (used_here && bytes <= largest) [[unlikely]]
    if (void* piece = own_pages.take(bytes)) return piece;
  return from_malloc(bytes);
}

void operator delete(void* piece) noexcept {
  using namespace floe;
  if (!own_pages.has(piece)) [[likely]]
    return std::free(piece);
  if (used_here) own_pages.give_back(piece);  // what another thread lets go of is not used again
}

void operator delete(void* piece, std::size_t) noexcept { ::operator delete(piece); }

#endif
