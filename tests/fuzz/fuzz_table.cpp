// The record table: the input is what a hostile client writes into the shared memory, where, and what the node and another
// client do in between (tests/table/hostile_world.hpp).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/fuzz/check.hpp"
#include "tests/table/hostile_world.hpp"

namespace {

/// Numbers out of the input: a length and so many octets; zeros behind its end.
class said {
 public:
  said(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}
  bool is_over() const { return left_ == 0; }
  std::uint64_t next() {
    if (left_ == 0) return 0;
    const std::size_t length = std::min<std::size_t>(*at_ % 9U, left_ - 1);
    std::uint64_t value = 0;
    std::memcpy(&value, at_ + 1, length);
    at_ += 1 + length;
    left_ -= 1 + length;
    return value;
  }

 private:
  const std::uint8_t* at_;
  std::size_t left_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  said input(data, size);
  floe::table_test::hostile_world world([&] { return input.next(); });
  while (!input.is_over()) world.step();
  world.end();
  FUZZ_CHECK(world.broken().empty());
  return 0;
}
