#include "actors/table/layout.hpp"

#include <cstring>

namespace floe {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
// Readers copy while a holder may write and compare *current* afterwards. Acquire and release on every word (free on
// x86) instead of fences, which ThreadSanitizer does not know: who has seen a word of a later store sees the index
// that was published before it.
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;

__extension__ using wide = unsigned __int128;

std::uint64_t word_of(const char* from, std::size_t octets) {
  std::uint64_t w = 0;
  std::memcpy(&w, from, octets);
  return w;
}

}  // namespace

std::uint64_t table_hash(byte_view key) {
  // multiply and fold, eight bytes at a time
  auto mix = [](std::uint64_t a, std::uint64_t b) {
    const auto p = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(p) ^ static_cast<std::uint64_t>(p >> 64);
  };
  std::uint64_t h = 0x9e3779b97f4a7c15ULL ^ key.size();
  std::size_t i = 0;
  for (; i + 8 <= key.size(); i += 8)
    h = mix(h ^ word_of(key.data() + i, 8), 0xbf58476d1ce4e5b9ULL);
  if (i < key.size()) h = mix(h ^ word_of(key.data() + i, key.size() - i), 0x94d049bb133111ebULL);
  h = mix(h, 0xd6e8feb86659fd93ULL);
  return h == 0 ? 1 : h;
}

void copy_in(table_word* to, byte_view from) {
  std::size_t i = 0;
  for (; i + 8 <= from.size(); i += 8) to[i / 8].store(word_of(from.data() + i, 8), release);
  if (i < from.size()) to[i / 8].store(word_of(from.data() + i, from.size() - i), release);
}

void copy_out(char* to, const table_word* from, std::size_t octets) {
  std::size_t i = 0;
  for (; i + 8 <= octets; i += 8) {
    const auto w = from[i / 8].load(acquire);
    std::memcpy(to + i, &w, 8);
  }
  if (i < octets) {
    const auto w = from[i / 8].load(acquire);
    std::memcpy(to + i, &w, octets - i);
  }
}

bool equal(const table_word* words, byte_view key) {
  std::size_t i = 0;
  for (; i + 8 <= key.size(); i += 8)
    if (words[i / 8].load(relaxed) != word_of(key.data() + i, 8)) return false;
  return i == key.size() || words[i / 8].load(relaxed) == word_of(key.data() + i, key.size() - i);
}

}  // namespace floe
