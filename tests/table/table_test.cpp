/// The operations one by one, on one thread.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "actors/table/record_table.hpp"
#include "actors/table/table_user.hpp"

using namespace floe;

namespace {

struct fixture {
  std::shared_ptr<table_memory> memory =
      table_memory::create_private({.sets = 2, .area_words = 8192});
  record_table table{memory};
  table_user a{memory, table.admit(), -1}, b{memory, table.admit(), -1};
  table_place place, other;
  table_content content;
  bytes data;

  void put(byte_view key, byte_view value, std::uint64_t rsn = 10) {
    REQUIRE(table.promote(key, rsn, 0, value, table_holder::none).has_value());
  }
  static table_patience soon() { return {2000}; }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "lock, read, store, unlock; rsn counts the stores") {
  put("k", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  CHECK(a.read_locked(place, content, data) == table_answer::good);
  CHECK(data == "one");
  CHECK(content.rsn == 10);
  CHECK(a.store(place, 1, "two") == table_answer::good);
  CHECK(a.store(place, 1, "three, and longer than before") == table_answer::good);
  CHECK(a.read_locked(place, content, data) == table_answer::good);
  CHECK(data == "three, and longer than before");
  CHECK(content.rsn == 12);
  CHECK(a.sequence_number() == 2);
  CHECK(a.unlock(place, 1) == table_answer::good);
  CHECK(a.unlock(place, 1) == table_answer::not_held);
  CHECK(a.store(place, 1, "late") == table_answer::not_held);
}

TEST_CASE_FIXTURE(fixture, "a lock excludes others, and says what it is to its own thread") {
  put("k", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  CHECK(b.lock("k", 1, {0}, other) == table_answer::busy);
  CHECK(b.lock("k", 1, soon(), other) == table_answer::timed_out);
  CHECK(a.lock("k", 2, {0}, other) == table_answer::busy);
  CHECK(a.lock("k", 1, {0}, other) == table_answer::held_already);
  CHECK(b.lock("unknown", 1, {0}, other) == table_answer::not_here);
  CHECK(a.unlock(place, 1) == table_answer::good);
  CHECK(b.lock("k", 1, {0}, other) == table_answer::good);
  // who waited in vain has left nothing behind
  CHECK(b.unlock(other, 1) == table_answer::good);
  CHECK(a.lock("k", 2, {0}, other) == table_answer::good);
}

TEST_CASE_FIXTURE(fixture, "readers without lock") {
  put("k", "one");
  CHECK(b.read("k", 0, read_wait::none, soon(), content, data) == table_answer::good);
  CHECK(data == "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  REQUIRE(a.store(place, 1, "two") == table_answer::good);
  CHECK(b.read("k", 0, read_wait::none, soon(), content, data) == table_answer::good);
  CHECK(data == "two");
  CHECK(content.rsn == 11);
  CHECK(b.read("k", 0, read_wait::for_holder, soon(), content, data) == table_answer::timed_out);
  CHECK(a.read("k", 1, read_wait::for_holder, soon(), content, data) == table_answer::good);
  CHECK(b.read("unknown", 0, read_wait::none, soon(), content, data) == table_answer::not_here);
  table.close();
  CHECK(b.read("k", 0, read_wait::none, soon(), content, data) == table_answer::not_here);
}

TEST_CASE_FIXTURE(fixture, "recall: a free record is taken at once, a held one when it is let go") {
  put("free", "one");
  put("held", "one", 5);
  REQUIRE(a.lock("held", 1, soon(), place) == table_answer::good);
  const auto free = *table.find("free"), held = *table.find("held");
  CHECK(table.recall(free).state == slot_state::free);
  const auto r = table.take(free);
  REQUIRE(r.has_value());
  CHECK(r->data == "one");
  CHECK(!r->changed);
  CHECK(b.lock("free", 1, soon(), other) == table_answer::not_here);

  CHECK(table.recall(held).state == slot_state::held);
  CHECK(table.recall(held).holder == holder_of(a.client(), 1));
  CHECK(table.recalled_ever() == 2);  // asking again recalls nothing
  CHECK(!table.take(held).has_value());
  CHECK(b.lock("held", 1, soon(), other) == table_answer::not_here);
  CHECK(a.store(place, 1, "two") == table_answer::good);
  table_unlock u(*memory, holder_of(a.client(), 1), place);
  while (u.advance() != step_need::done) {
  }
  CHECK(u.wakes().node);
  const auto later = table.take(held);
  REQUIRE(later.has_value());
  CHECK(later->data == "two");
  CHECK(later->rsn == 6);
  CHECK(later->changed);
  CHECK(table.records() == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "a holder's lock can be taken over with its record: data that do not fit") {
  put("k", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  CHECK(a.store(place, 1, bytes(5000, 'x')) == table_answer::to_node);
  CHECK(!table.take(place.slot, holder_of(b.client(), 1)).has_value());
  const auto r = table.take(place.slot, holder_of(a.client(), 1));
  REQUIRE(r.has_value());
  CHECK(r->data == "one");
  CHECK(a.store(place, 1, "two") == table_answer::not_held);
}

TEST_CASE_FIXTURE(fixture, "closed: no lock, holders go on, and are counted after the closing") {
  put("k", "one");
  put("l", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  CHECK(table.close());
  CHECK(b.lock("l", 1, soon(), other) == table_answer::not_here);
  CHECK(!lock_word{memory->slot(*table.find("l")).lock.load()}.free() == false);
  CHECK(a.store(place, 1, "two") == table_answer::good);
  CHECK(a.unlock(place, 1) == table_answer::good);
  CHECK(!table.any_holder());
  CHECK(table.promote("m", 0, 0, "", table_holder::none).error() == promote_refusal::closed);
  table.reopen();
  CHECK(b.lock("l", 1, soon(), other) == table_answer::good);
}

TEST_CASE_FIXTURE(fixture, "a dead client holds nothing, and what it stored counts") {
  put("k", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  REQUIRE(a.store(place, 1, "two") == table_answer::good);
  CHECK(table.clear(a.client(), false) == std::vector{place.slot});
  REQUIRE(b.lock("k", 1, {0}, other) == table_answer::good);
  CHECK(b.read_locked(other, content, data) == table_answer::good);
  CHECK(data == "two");
  unsigned changed = 0;
  CHECK(table.collect([&](const table_record& r) { return changed += r.data == "two", true; })
            .empty());
  CHECK(changed == 1);
}

TEST_CASE_FIXTURE(fixture,
                  "a store that is under way when the node falls silent is for the node to judge") {
  put("k", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  table_store late(*memory, holder_of(a.client(), 1), place, "late");
  CHECK(late.advance(1) == step_need::step);  // the node answered for the table when it began
  table.answer_for_until(0);
  while (late.advance(2) != step_need::done) {
  }
  CHECK(late.outcome() == store_outcome::to_node);
  // it may refuse it: nobody must find it then
  table.recall(place.slot);
  const auto taken = table.take(place.slot, holder_of(a.client(), 1));
  REQUIRE(taken);
  CHECK(taken->data == "one");
}

TEST_CASE_FIXTURE(fixture,
                  "a store that the node has looked at before it was taken back is no damage") {
  put("k", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  table_store late(*memory, holder_of(a.client(), 1), place, "late");
  while (!late.asks_time() || late.outcome() != store_outcome::stored) late.advance(1);
  CHECK(table.collect([](const table_record& r) { return r.data == "late"; }).empty());
  table.answer_for_until(0);
  while (late.advance(2) != step_need::done) {
  }
  CHECK(late.outcome() == store_outcome::to_node);
  bytes last;
  CHECK(table.collect([&](const table_record& r) { return last = r.data, true; }).empty());
  CHECK(last == "one");
  CHECK(table.look(place.slot).state == slot_state::held);
}

TEST_CASE_FIXTURE(fixture, "a client that is disconnected and runs on spoils nothing") {
  put("k", "one");
  REQUIRE(a.lock("k", 1, soon(), place) == table_answer::good);
  table_store late(*memory, holder_of(a.client(), 1), place, "late");
  CHECK(late.advance(0) == step_need::step);  // has looked, and will not look again
  for (const auto slot : table.clear(a.client(), true)) REQUIRE(table.take(slot).has_value());
  put("k", "one");
  for (int i = 0; i < 20; ++i)
    if (table.promote("other " + std::to_string(i), 0, 0, "fresh", table_holder::none)) (void)i;
  while (late.advance(0) != step_need::done) {
  }
  for (const auto slot : table.filled()) {
    table.recall(slot);
    const auto r = table.take(slot);
    REQUIRE(r.has_value());
    CHECK(!r->changed);
    CHECK((r->data == "one" || r->data == "fresh"));
  }
  table.forgive(a.client());
}

TEST_CASE_FIXTURE(fixture, "what is shown is read and not locked, and can be dropped at any time") {
  const auto at = table.show("k", 7, 0, "copy");
  REQUIRE(at.has_value());
  CHECK(table.is_shown(at->slot));
  CHECK(a.read("k", 0, read_wait::for_holder, soon(), content, data) == table_answer::good);
  CHECK(data == "copy");
  CHECK(content.rsn == 7);
  CHECK(a.lock("k", 1, {0}, place) != table_answer::good);
  CHECK(!table.any_holder());
  table.drop(at->slot);
  CHECK(a.read("k", 0, read_wait::for_holder, soon(), content, data) == table_answer::not_here);
  put("k", "ours");
  CHECK(!table.is_shown(*table.find("k")));
  CHECK(a.lock("k", 1, soon(), place) == table_answer::good);
}

TEST_CASE_FIXTURE(fixture, "full sets and full areas refuse; the coldest leaves first") {
  int in = 0;
  auto refused = promote_refusal::closed;
  bytes last;
  for (int i = 0; i < 100; ++i) {
    last = "key " + std::to_string(i);
    if (auto t = table.promote(last, 0, 0, "x", table_holder::none); t)
      ++in;
    else
      refused = t.error();
    if (refused != promote_refusal::closed) break;
  }
  CHECK(refused == promote_refusal::set_full);
  CHECK(in >= 8);
  const auto cold = table.victims(last);
  REQUIRE(cold.size() == 8);
  const bytes hot = table.key_of(cold.front());
  REQUIRE(a.lock(hot, 1, soon(), place) == table_answer::good);
  REQUIRE(a.unlock(place, 1) == table_answer::good);
  CHECK(table.key_of(table.victims(last).back()) == hot);
  CHECK(table.promote("large", 0, 0, bytes(40000, 'x'), table_holder::none).error() ==
        promote_refusal::too_large);
}

TEST_CASE("memory that two mappings share; others are refused") {
  const table_size size{.sets = 2, .area_words = 8192};
  auto node = table_memory::create_shared(size);
  REQUIRE(node.has_value());
  record_table table(*node);
  const int fd = ::fcntl((*node)->descriptor(), F_DUPFD_CLOEXEC, 0);
  auto seen = table_memory::map(fd);
  REQUIRE(seen.has_value());
  table_user client(*seen, table.admit(), -1);
  REQUIRE(table.promote("k", 1, 0, "value", table_holder::none).has_value());
  table_place p;
  table_content c;
  bytes data;
  REQUIRE(client.lock("k", 1, {1000}, p) == table_answer::good);
  CHECK(client.read_locked(p, c, data) == table_answer::good);
  CHECK(data == "value");
  CHECK(::ftruncate((*node)->descriptor(), 0) != 0);

  const int unsealed = ::memfd_create("test", MFD_CLOEXEC);
  REQUIRE(::ftruncate(unsealed, 1 << 20) == 0);
  CHECK(!table_memory::map(unsealed).has_value());
  CHECK(!table_memory::map(::open("/dev/null", O_RDONLY | O_CLOEXEC)).has_value());
}
