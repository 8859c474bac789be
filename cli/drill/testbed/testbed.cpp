#include "cli/drill/testbed/testbed.hpp"

#include <algorithm>

#include "cli/drill/testbed/record_access.hpp"

namespace floe::cli::drill {

std::unique_ptr<record_access> testbed::records(std::size_t, client& c) {
  return std::make_unique<floe_records>(c);
}

void testbed::split(const std::vector<std::size_t>& side) { bridge(size(), side); }

void testbed::bridge(std::size_t middle, const std::vector<std::size_t>& side) {
  const auto here = [&](std::size_t n) { return std::ranges::find(side, n) != side.end(); };
  for (std::size_t a = 0; a < size(); ++a)
    for (std::size_t b = a + 1; b < size(); ++b)
      if (a != middle && b != middle && here(a) != here(b)) cut(a, b);
}

}  // namespace floe::cli::drill
