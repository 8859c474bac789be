#include "protocol/wire/generator.hpp"

#include <bit>
#include <deque>
#include <random>

namespace floe::wire {

struct generator::state {
  std::mt19937_64 random;
  std::deque<bytes> kept;
};

generator::generator(std::uint64_t seed)
    : state_(std::make_unique<state>(std::mt19937_64(seed), std::deque<bytes>())) {}
generator::~generator() = default;

std::uint64_t generator::bits() { return state_->random(); }

std::size_t generator::below(std::size_t limit) { return static_cast<std::size_t>(bits() % limit); }

std::uint64_t generator::number(std::size_t width) {
  const std::uint64_t top = width >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * width)) - 1;
  switch (below(6)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return top;
    case 3: return (top >> 1) + below(2);
    case 4: return bits() & 0xff & top;
    default: return bits() & top;
  }
}

double generator::real() {
  switch (below(4)) {
    case 0: return 0.0;
    case 1: return 1e-6 * static_cast<double>(below(1'000'000'000));
    default: {
      // any finite double
      for (;;) {
        const std::uint64_t b = bits();
        if (((b >> 52) & 0x7ff) != 0x7ff) return std::bit_cast<double>(b);
      }
    }
  }
}

byte_view generator::octets(std::size_t max_size) {
  const std::size_t limit = coin() ? std::size_t{9} : max_size + 1;
  bytes b(below(limit < max_size + 1 ? limit : max_size + 1), '\0');
  for (char& c : b) c = static_cast<char>(bits());
  return state_->kept.emplace_back(std::move(b));
}

byte_view generator::text(std::size_t max_size) {
  bytes b(below(max_size + 1), '\0');
  for (char& c : b) c = static_cast<char>(1 + below(126));
  return state_->kept.emplace_back(std::move(b));
}

byte_view generator::string(std::size_t max_size) {
  return below(5) == 0 ? byte_view{} : text(max_size);
}

byte_view generator::keep(bytes b) { return state_->kept.emplace_back(std::move(b)); }

}  // namespace floe::wire
