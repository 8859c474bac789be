// What must hold for every wire type, with random values. A failure prints the seed; put it into
// `seeds` to see it again.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "protocol/packet.hpp"
#include "protocol/wire/generator.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/text.hpp"
#include "tests/protocol/types_under_test.hpp"

using namespace floe;

namespace {

constexpr std::size_t values_per_type = 100;

std::vector<std::uint64_t> seeds() { return {1, 41, std::random_device{}()}; }

template <class Check>
void for_each_value(Check check) {
  for (const std::uint64_t seed : seeds()) {
    wire::generator g(seed);
    for (const auto& [name, type] : types_under_test()) {
      INFO("seed " << seed << ", type " << name);
      for (std::size_t i = 0; i < values_per_type; ++i) {
        const bytes value = type->generate(g);
        INFO("value " << i << ": " << wire::to_hex(value));
        check(*type, value);
      }
    }
  }
}

wire::field_list fields_of(const wire::type_info& type, byte_view value) {
  wire::field_list fields;
  REQUIRE(type.show(value, fields, "value").has_value());
  return fields;
}

}  // namespace

TEST_CASE("a value encodes to what it was decoded from") {
  for_each_value([](const wire::type_info& type, const bytes& value) {
    const auto size = type.measure(value);
    REQUIRE(size.has_value());
    CHECK(*size == value.size());
    CHECK(value.size() >= type.min_size);
    if (type.fixed_size) CHECK(value.size() == type.min_size);
    const auto again = type.reencode(value);
    REQUIRE(again.has_value());
    CHECK((*again == value));
    CHECK(wire::difference(fields_of(type, *again), fields_of(type, value)) == "");
  });
}

TEST_CASE("a value that lost its end does not decode") {
  for_each_value([](const wire::type_info& type, const bytes& value) {
    if (type.takes_rest) return;  // text and octets to the end of the data: any prefix is a value
    // all of them, of long values only some: their middle repeats itself
    const std::size_t stride = value.size() > 600 ? 7 : 1;
    for (std::size_t n = 0; n < value.size(); n += stride) {
      // a copy of its own, so that the sanitizer sees a read behind it
      const bytes prefix = value.substr(0, n);
      const auto size = type.measure(prefix);
      if (size) FAIL_CHECK("a prefix of " << n << " bytes decodes");
      if (!size && size.error().offset > n) FAIL_CHECK("the error lies behind the end, at " << n);
      if (type.reencode(prefix)) FAIL_CHECK("a prefix of " << n << " bytes encodes");
    }
  });
}

TEST_CASE("a value followed by something else ends where it ends") {
  for_each_value([](const wire::type_info& type, const bytes& value) {
    const bytes longer = value + "x";
    const auto size = type.measure(longer);
    REQUIRE(size.has_value());
    if (type.takes_rest) return;
    CHECK(*size == value.size());
    const auto again = type.reencode(longer);
    REQUIRE(!again.has_value());
    CHECK(again.error().why == wire::fault::trailing_bytes);
  });
}

TEST_CASE("a value decodes wherever it lies in memory") {
  for_each_value([](const wire::type_info& type, const bytes& value) {
    for (std::size_t shift = 1; shift < 8; ++shift) {
      const bytes moved = bytes(shift, '\0') + value;
      const auto again = type.reencode(byte_view(moved).substr(shift));
      REQUIRE(again.has_value());
      CHECK((*again == value));
    }
  });
}

TEST_CASE("fields of a value cover its bytes once") {
  for_each_value([](const wire::type_info& type, const bytes& value) {
    std::vector<int> covered(value.size(), 0);
    const auto list = fields_of(type, value);
    for (const auto& f : list.fields()) {
      REQUIRE(f.where.offset + f.where.size <= value.size());
      for (std::size_t i = 0; i < f.where.size; ++i) ++covered[f.where.offset + i];
    }
    CHECK(std::ranges::all_of(covered, [](int n) { return n == 1; }));
  });
}

TEST_CASE("a changed byte changes a field, or was padding") {
  wire::generator g(7);
  for (const auto& [name, type] : types_under_test()) {
    INFO("type " << name);
    for (int i = 0; i < 30; ++i) {
      const bytes value = type->generate(g);
      const auto before = fields_of(*type, value);
      for (const auto& f : before.fields()) {
        for (std::size_t b = 0; b < f.where.size; ++b) {
          bytes other = value;
          other[f.where.offset + b] = static_cast<char>(other[f.where.offset + b] ^ 0x55);
          if (!type->measure(other).has_value() || type->measure(other) != other.size()) continue;
          const auto again = type->reencode(other);
          REQUIRE(again.has_value());
          const bool padding = f.hidden && f.value.is == wire::scalar::shape::null;
          // text ends at its NUL: what is behind it does not come back; nor do lengths of unused
          // hot keys
          const bool lost = f.value.is == wire::scalar::shape::text ||
                            f.value.is == wire::scalar::shape::null ||
                            (name == "db_statistics" && f.path.ends_with("keylen"));
          const bool good = padding ? *again == value : lost || *again == other;
          if (!good) FAIL_CHECK(f.path << " byte " << b << " of " << wire::to_hex(value));
        }
      }
    }
  }
}

TEST_CASE("the same seed gives the same values") {
  for (const auto& [name, type] : types_under_test()) {
    wire::generator a(99);
    wire::generator b(99);
    for (int i = 0; i < 20; ++i) CHECK((type->generate(a) == type->generate(b)));
  }
}
