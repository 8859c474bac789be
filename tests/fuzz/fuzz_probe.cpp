// Compiles and links only where clang has its libFuzzer and the standard library has std::expected.
#include <cstddef>
#include <cstdint>
#include <expected>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t size) {
  const std::expected<std::size_t, int> seen = size;
  return seen.has_value() ? 0 : 1;
}
