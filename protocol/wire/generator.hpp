#pragma once
/// Random values for property tests, from one seed. Prefers edges: zero, one, the largest, empty,
/// short. Byte fields of generated values live in the generator; keep it as long as the values.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "protocol/bytes.hpp"

namespace floe::wire {

class generator {
 public:
  explicit generator(std::uint64_t seed);
  ~generator();
  generator(const generator&) = delete;
  generator& operator=(const generator&) = delete;

  std::uint64_t bits();
  /// An integer of a certain width, edges preferred; cut it to the type that is wanted.
  std::uint64_t number(std::size_t width);
  double real();
  bool coin() { return (bits() & 1) != 0; }
  std::size_t below(std::size_t limit);  ///< limit > 0
  byte_view octets(std::size_t max_size);
  byte_view text(std::size_t max_size);    ///< without NUL, never the null string
  byte_view string(std::size_t max_size);  ///< without NUL, sometimes the null string
  /// Keeps bytes alive with the generator.
  byte_view keep(bytes b);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace floe::wire
