/// A client that writes anything anywhere into the shared memory, at any time. The node must go on: it may drop slots and
/// lose what was stored in them, and nothing else. Run under the sanitizers of the debug build this is a fuzzer of the
/// node's reading; the seed is printed.
#include <doctest/doctest.h>

#include <random>

#include "actors/table/record_table.hpp"
#include "actors/table/table_user.hpp"

using namespace floe;

namespace {

void scribble(table_memory& m, std::mt19937_64& chance) {
  auto* words = reinterpret_cast<table_word*>(&m.head());
  const auto count = m.size().total() / 8;
  std::uint64_t value = chance();
  switch (chance() % 5) {
    case 0: value = 0; break;
    case 1: value = ~std::uint64_t{0}; break;
    case 2: value &= 0xffff; break;
    case 3: value = words[chance() % count].load() ^ 1ULL << (chance() % 64); break;
    default: break;
  }
  // mostly where it hurts: locks, indexes, lengths
  const auto slot = static_cast<std::uint32_t>(chance() % m.slots());
  auto* in_slot = reinterpret_cast<table_word*>(&m.slot(slot));
  switch (chance() % 4) {
    case 0: words[chance() % count].store(value); break;
    case 1: in_slot[chance() % 16].store(value); break;
    case 2: m.slot(slot).current.store(value); break;
    default: m.area(0)[chance() % 512].store(value); break;
  }
}

}  // namespace

TEST_CASE("whatever is written into the memory, the node lives, and a new record is whole") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 chance(seed);
    auto memory = table_memory::create_private({.sets = 2, .area_words = 4096});
    record_table table(memory);
    auto client = table.admit();
    table_place p;
    table_content c;
    bytes data;
    for (int i = 0; i < 2000; ++i) {
      for (auto n = chance() % 3; n > 0; --n) scribble(*memory, chance);
      const bytes key = "key " + std::to_string(chance() % 20);
      const auto slot = table.find(key);
      switch (chance() % 9) {
        case 0:
          if (!slot) (void)table.promote(key, 7, 0, "fresh", table_holder::none);
          break;
        case 1:
          if (slot && table.recall(*slot).state == slot_state::free && !table.take(*slot))
            table.drop(*slot);
          break;
        case 2:
          for (const auto bad : table.collect([](const table_record&) { return true; }))
            table.drop(bad);
          break;
        case 3:
          if (chance() % 8 == 0) {
            table.clear(client, chance() % 2 == 0);
            table.forgive(client);
            client = table.admit();
            REQUIRE(client != 0);
          }
          break;
        case 4:
          table.close();
          table.for_each_holder([](const table_lock_info& l) { CHECK(!l.key.empty()); });
          table.reopen();
          break;
        case 5: table.cool(), (void)table.victims(key), (void)table.coldest(); break;
        case 6:
          if (slot && table.look(*slot).state == slot_state::broken) table.drop(*slot);
          break;
        default: {  // another client must survive it, too
          table_user u(memory, client, -1);
          if (u.lock(key, 1, 0, p) == table_answer::good) {
            u.read_locked(p, c, data);
            (void)u.store(p, 1, "stored by a sound client");
            (void)u.unlock(p, 1);
          }
          break;
        }
      }
    }
    for (const auto slot : table.filled()) table.drop(slot);
    CHECK(table.records() == 0);
    const auto at = table.promote("after", 7, 0, "whole", table_holder::none);
    REQUIRE(at.has_value());
    table.recall(at->slot);
    const auto r = table.take(at->slot);
    REQUIRE(r.has_value());
    CHECK(r->data == "whole");
    CHECK(r->rsn == 7);
  }
}
