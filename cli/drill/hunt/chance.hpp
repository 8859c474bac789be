#pragma once
/// Chance that depends on nothing but its seed: no distribution of the standard library, which may
/// differ from one to the next.
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace floe::cli::drill {

class chance {
 public:
  /// One for each drill of a hunt.
  chance(std::uint64_t seed, std::uint64_t number)
      : engine_(seed * 0x9e3779b97f4a7c15ULL + number * 0xbf58476d1ce4e5b9ULL + 1) {}

  std::uint64_t number() { return engine_(); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool percent(unsigned p) { return below(100) < p; }
  /// Small numbers as likely as large ones: each order of magnitude has its share.
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    if (least == 0) return between(1, most + 1) - 1;
    const double part = static_cast<double>(engine_() >> 11) / 9007199254740992.0;
    const double from = static_cast<double>(least), to = static_cast<double>(most);
    return static_cast<std::uint64_t>(from * std::pow(to / from, part) + 0.5);
  }
  template <class T>
  const T& of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace floe::cli::drill
