#include "tests/table/hostile_world.hpp"

#include <utility>

namespace floe::table_test {

hostile_world::hostile_world(std::function<std::uint64_t()> chance)
    : chance_(std::move(chance)),
      memory_(table_memory::create_private({.sets = 2, .area_words = 4096})),
      table_(memory_),
      client_(table_.admit()) {}

/// Mostly where it hurts: locks, indexes, lengths.
void hostile_world::scribble() {
  auto* words = reinterpret_cast<table_word*>(&memory_->head());
  const auto count = memory_->size().total() / 8;
  std::uint64_t value = chance_();
  switch (chance_() % 5) {
    case 0: value = 0; break;
    case 1: value = ~std::uint64_t{0}; break;
    case 2: value &= 0xffff; break;
    case 3: value = words[chance_() % count].load() ^ 1ULL << (chance_() % 64); break;
    default: break;
  }
  const auto slot = static_cast<std::uint32_t>(chance_() % memory_->slots());
  auto* in_slot = reinterpret_cast<table_word*>(&memory_->slot(slot));
  switch (chance_() % 4) {
    case 0: words[chance_() % count].store(value); break;
    case 1: in_slot[chance_() % 16].store(value); break;
    case 2: memory_->slot(slot).current.store(value); break;
    default: memory_->area(0)[chance_() % 512].store(value); break;
  }
}

void hostile_world::step() {
  for (auto n = chance_() % 3; n > 0; --n) scribble();
  const bytes key = "key " + std::to_string(chance_() % 20);
  const auto slot = table_.find(key);
  switch (chance_() % 9) {
    case 0:
      if (!slot) (void)table_.promote(key, 7, 0, "fresh", table_holder::none);
      break;
    case 1:
      if (slot && table_.recall(*slot).state == slot_state::free && !table_.take(*slot))
        table_.drop(*slot);
      break;
    case 2:
      for (const auto bad : table_.collect([](const table_record&) { return true; }))
        table_.drop(bad);
      break;
    case 3:
      if (chance_() % 8 == 0) client_is_new();
      break;
    case 4:
      table_.close();
      table_.for_each_holder(
          [this](const table_lock_info& l) { demand(!l.key.empty(), "a holder has a key"); });
      table_.reopen();
      break;
    case 5: table_.cool(), (void)table_.victims(key), (void)table_.coldest(); break;
    case 6:
      if (slot && table_.look(*slot).state == slot_state::broken) table_.drop(*slot);
      break;
    default: one_of_the_client(key); break;  // another client must survive it, too
  }
}

void hostile_world::client_is_new() {
  table_.clear(client_, chance_() % 2 == 0);
  table_.forgive(client_);
  client_ = table_.admit();
  demand(client_ != 0, "who has gone makes room for another client");
}

void hostile_world::one_of_the_client(const bytes& key) {
  table_user u(memory_, client_, -1);
  table_place p;
  table_content c;
  bytes data;
  if (u.lock(key, 1, {0}, p) != table_answer::good) return;
  u.read_locked(p, c, data);
  (void)u.store(p, 1, "stored by a sound client");
  (void)u.unlock(p, 1);
}

void hostile_world::end() {
  for (const auto slot : table_.filled()) table_.drop(slot);
  demand(table_.records() == 0, "what is dropped is gone");
  const auto at = table_.promote("after", 7, 0, "whole", table_holder::none);
  demand(at.has_value(), "there is room in an empty table");
  if (!at) return;
  table_.recall(at->slot);
  const auto r = table_.take(at->slot);
  demand(r && r->data == "whole" && r->rsn == 7, "a new record is whole");
}

}  // namespace floe::table_test
