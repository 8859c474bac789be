#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "storage/format.hpp"
#include "storage/key_sort.hpp"
#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

int sign(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

/// The documented order, told again without any shortcut.
int slow_order(const bytes& a, const bytes& b, long_key_hash hash) {
  bool long_a = a.size() > 254, long_b = b.size() > 254;
  if (long_a != long_b) return long_a ? -1 : 1;
  if (long_a) {
    if (hash(a).high != hash(b).high) return hash(a).high < hash(b).high ? -1 : 1;
    if (hash(a).low != hash(b).low) return hash(a).low < hash(b).low ? -1 : 1;
  }
  bool less = std::ranges::lexicographical_compare(a, b, [](char x, char y) {
    return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
  });
  return less ? -1 : a == b ? 0 : 1;
}

}  // namespace

TEST_CASE("key order is as documented, for any two keys and any hash") {
  random_source random(1);
  for (auto hash : {hash_long_key, four_hashes, one_hash}) {
    std::vector<bytes> keys = some_keys(random, 300);
    for (const auto& a : keys)
      for (const auto& b : keys) REQUIRE(sign(key_order(a, b, hash)) == slow_order(a, b, hash));
  }
}

TEST_CASE("inner keys without slot have the order of their keys") {
  random_source random(2);
  for (int i = 0; i < 20000; ++i) {
    bytes a = some_key(random), b = some_key(random);
    ordered_key ka(a), kb(b);
    format::inner_key ia(ka), ib(kb);
    auto order = ia.without_slot().compare(ib.without_slot()) <=> 0;
    if (order != 0) REQUIRE(sign(order) == sign(ka <=> kb));
  }
}

TEST_CASE("a value is read as it was written, and its sum covers every byte") {
  random_source random(3);
  for (int i = 0; i < 60; ++i) {
    record r{some_key(random), some_header(random), some_data(random, 600)};
    bytes value(format::value_size(r.key, r.data), '\0');
    format::write_value(value.data(), r.key, r.header, r.data);
    format::inner_key inner{ordered_key(r.key)};
    auto read = format::parse(inner.bytes(), value);
    REQUIRE(read.has_value());
    REQUIRE(*read == record_view(r));
    REQUIRE(format::sum_holds(value, *read));
    for (std::size_t at = 0; at < value.size(); at += 1 + below(random, 40)) {
      bytes damaged = value;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << below(random, 8)));
      auto parsed = format::parse(inner.bytes(), damaged);
      REQUIRE_FALSE((parsed && format::sum_holds(damaged, *parsed)));
    }
    for (std::size_t length = 0; length < value.size(); length += 1 + below(random, 40)) {
      bytes cut = value.substr(0, length);
      auto parsed = format::parse(inner.bytes(), cut);
      REQUIRE_FALSE((parsed && format::sum_holds(cut, *parsed)));
    }
  }
}

TEST_CASE("sums and long keys are the same on every node, so they never change") {
  record r = make_record("locking", "data", 42);
  CHECK(format::content_sum(r) == 4538512751000957756u);
  hash128 h = hash_long_key(bytes(300, 'k'));
  CHECK(h.high == 16934602922040326294u);
  CHECK(h.low == 4508134653262363296u);
}

TEST_CASE("entries that cannot be records are recognised") {
  CHECK_FALSE(format::parse("", bytes(100, '\0')));
  CHECK_FALSE(format::parse("x", bytes(100, '\0')));
  CHECK_FALSE(format::parse("k", bytes(31, '\0')));
  CHECK_FALSE(format::parse("h too short", bytes(400, '\0')));
  bytes value(400, '\xff');  // a key length far beyond the value
  CHECK_FALSE(format::parse("h" + bytes(18, '\0'), value));
}

TEST_CASE("keys are sorted as a scan meets them, equal ones as they were given") {
  random_source random(11);
  std::mt19937_64 chance(5);
  for (int round = 0; round < 60; ++round) {
    std::vector<bytes> keys = some_keys(random, 1 + chance() % 200);
    if (round % 2) std::erase_if(keys, [](const bytes& k) { return k.size() > short_key_max - 9; });
    if (round % 3 == 0)
      for (auto& k : keys) k.insert(0, "in common");  // a prefix, and perhaps its extensions
    if (round % 5 == 0 && !keys.empty()) keys.push_back(keys[chance() % keys.size()]);
    if (round % 7 == 0)
      std::ranges::sort(keys, [](byte_view a, byte_view b) { return key_order(a, b) < 0; });
    const std::vector<byte_view> views(keys.begin(), keys.end());
    const auto numbers = sorted_numbers(views);
    REQUIRE(numbers.size() == keys.size());
    bool distinct = true;
    for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
      const auto order = key_order(keys[numbers[i]], keys[numbers[i + 1]]);
      CHECK((order < 0 || (order == 0 && numbers[i] < numbers[i + 1])));
      distinct &= order < 0;
    }
    CHECK(ascend_strictly(views) == (distinct && std::ranges::is_sorted(numbers)));
  }
  CHECK(sorted_numbers({}).empty());
  CHECK(ascend_strictly({}));
}
