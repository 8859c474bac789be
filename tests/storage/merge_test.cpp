#include <doctest/doctest.h>

#include <algorithm>

#include "storage/merge.hpp"
#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

/// A strict order: highest rsn, then the copy of its own dmaster, then the lowest node.
bool newer(const record_copy& a, const record_copy& b) {
  auto rank = [](const record_copy& c) {
    return std::tuple(c.record.header.rsn, c.record.header.dmaster == c.from, ~number(c.from));
  };
  return rank(a) > rank(b);
}

struct node_copy {
  pnn from{0};
  stream_order order = stream_order::ascending;
  std::vector<record> records;
  std::size_t sent = 0;
  bool ended = false;
};

/// The next few records as a buffer of its own, which nothing but the merge keeps.
void feed_some(record_merge& merge, node_copy& node, std::size_t count) {
  auto owner = std::make_shared<bytes>();
  count = std::min(count, node.records.size() - node.sent);
  for (std::size_t i = 0; i < count; ++i) {
    const record& r = node.records[node.sent + i];
    *owner += r.key + r.data;
  }
  std::vector<record_view> views;
  byte_view rest = *owner;
  for (std::size_t i = 0; i < count; ++i) {
    const record& r = node.records[node.sent + i];
    views.push_back(
        {rest.substr(0, r.key.size()), r.header, rest.substr(r.key.size(), r.data.size())});
    rest.remove_prefix(r.key.size() + r.data.size());
  }
  node.sent += count;
  REQUIRE(merge.feed(node.from, std::move(owner), std::move(views)));
}

}  // namespace

TEST_CASE("merge against a map, streams fed as they come") {
  random_source random(6);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    long_key_hash hash = round % 3 == 0 ? four_hashes : hash_long_key;
    std::vector<bytes> keys = some_keys(random, 60);

    std::vector<node_copy> nodes(1 + below(random, 5));
    std::map<bytes, record_copy, in_key_order> best(in_key_order{hash});
    record_merge merge(newer, hash);
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      auto& node = nodes[n];
      node.from = pnn{static_cast<std::uint32_t>(n)};
      auto how = below(random, 3);  // ascending and promised, ascending by luck, in any order
      node.order = how == 0 ? stream_order::ascending : stream_order::any;
      for (std::uint64_t i = below(random, 80); i > 0; --i) {
        record r{keys[below(random, keys.size())], some_header(random), some_data(random, 300)};
        r.header.dmaster = pnn{static_cast<std::uint32_t>(below(random, 3))};
        node.records.push_back(std::move(r));
      }
      if (how != 2) {
        std::ranges::sort(node.records, in_key_order{hash}, &record::key);
        auto again = std::ranges::unique(node.records, {}, &record::key);
        node.records.erase(again.begin(), again.end());
      }
      merge.add_stream(node.from, node.order);
    }
    for (const auto& node : nodes)
      for (const auto& r : node.records) {
        auto [at, first] = best.try_emplace(r.key, record_copy{r, node.from});
        if (!first && newer({r, node.from}, at->second)) at->second = {r, node.from};
      }

    auto expected = best.begin();
    while (!merge.finished()) {
      // Fed at random; a stream that the merge waits for gets its turn.
      auto waits = merge.waiting_for();
      auto& node = waits.empty() || below(random, 3) == 0
                       ? nodes[below(random, nodes.size())]
                       : nodes[number(waits[below(random, waits.size())])];
      if (node.sent < node.records.size()) {
        feed_some(merge, node, below(random, 10));
      } else if (!node.ended) {
        node.ended = true;
        merge.end_stream(node.from);
      }
      auto budget = below(random, 20);
      merge.run([&](const record_copy& winner) {
        if (budget-- == 0) return false;
        REQUIRE(expected != best.end());
        REQUIRE(winner.record == expected->second.record);
        REQUIRE(winner.from == expected->second.from);
        ++expected;
        return true;
      });
    }
    REQUIRE(expected == best.end());
    REQUIRE(merge.waiting_for().empty());
  }
}

TEST_CASE("merge shows nothing that a silent node could still change") {
  record_merge merge(newer);
  merge.add_stream(pnn{0}, stream_order::ascending);
  merge.add_stream(pnn{1}, stream_order::ascending);
  node_copy a{.from = pnn{0}, .records = {make_record("a", "1"), make_record("c", "1")}};
  node_copy b{.from = pnn{1}, .records = {make_record("b", "2")}};
  std::string seen;
  auto see = [&](const record_copy& winner) {
    seen += winner.record.key;
    return true;
  };
  feed_some(merge, a, 2);
  merge.run(see);
  CHECK(seen.empty());
  CHECK(merge.waiting_for() == std::vector{pnn{1}});
  feed_some(merge, b, 1);
  merge.run(see);
  CHECK(seen == "ab");
  CHECK(merge.waiting_for() == std::vector{pnn{1}});
  merge.end_stream(pnn{1});
  merge.run(see);
  CHECK(seen == "abc");
  CHECK_FALSE(merge.finished());
  merge.end_stream(pnn{0});
  CHECK(merge.finished());
}

TEST_CASE("a promise to ascend is checked, also between buffers") {
  record a = make_record("a", "1"), b = make_record("b", "2");
  for (bool within : {true, false}) {
    record_merge merge(newer);
    merge.add_stream(pnn{0}, stream_order::ascending);
    if (within) {
      CHECK(merge.feed(pnn{0}, nullptr, {b, a}).error().code == store_errc::unsorted);
      CHECK(merge.feed(pnn{0}, nullptr, {b, b}).error().code == store_errc::unsorted);
    } else {
      REQUIRE(merge.feed(pnn{0}, nullptr, {b}));
      CHECK(merge.feed(pnn{0}, nullptr, {b}).error().code == store_errc::unsorted);
      CHECK(merge.feed(pnn{0}, nullptr, {a}).error().code == store_errc::unsorted);
    }
  }
}

TEST_CASE("buffers of sorted streams are let go as soon as they are merged") {
  record_merge merge(newer);
  merge.add_stream(pnn{0}, stream_order::ascending);
  std::vector<std::weak_ptr<const bytes>> alive;
  for (int n = 0; n < 10; ++n) {
    auto owner = std::make_shared<const bytes>("key" + std::to_string(n));
    alive.push_back(owner);
    std::vector<record_view> views{{*owner, {}, {}}};
    REQUIRE(merge.feed(pnn{0}, std::move(owner), std::move(views)));
    merge.run([](const record_copy&) { return true; });
    for (int before = 0; before + 1 < n; ++before)
      CHECK(alive[static_cast<std::size_t>(before)].expired());
  }
}
