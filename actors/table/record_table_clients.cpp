/// The clients of a record table: who is admitted, and what becomes of the locks and waits of one that has gone.
#include "actors/table/record_table.hpp"
#include "protocol/mutant.hpp"

namespace floe {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto in_one_order = std::memory_order_seq_cst;

}  // namespace

std::uint32_t record_table::admit(std::int32_t process) {
  std::uint32_t tries = 0;
  do {
    if (++tries > table_client_places) return 0;
    last_client_ = (last_client_ + 1) & table_client_mask;
  } while (last_client_ % table_client_places == 0 ||
           place_taken_[last_client_ % table_client_places]);
  place_taken_[last_client_ % table_client_places] = true;
  clients_.insert(last_client_);
  memory_->head().processes[last_client_ % table_client_places].store(process, relaxed);
  memory_->head().admitted[last_client_ % table_client_places].store(last_client_, in_one_order);
  return last_client_;
}

std::vector<std::uint32_t> record_table::clear(std::uint32_t client, bool runs_on) {
  clients_.erase(client);
  // before the look at the slots: whoever writes its lock after that look finds itself sent away
  memory_->head().admitted[client % table_client_places].store(0, in_one_order);
  if (!runs_on) place_taken_[client % table_client_places] = false;
  std::vector<std::uint32_t> held;
  each_filled([&](std::uint32_t i) {
    entry& e = entries_[i];
    table_slot& s = memory_->slot(i);
    bool waited = false;
    for (auto& q : s.queue) {
      auto h = q.load(relaxed);
      if (h != 0 && client_of(table_holder{static_cast<std::uint32_t>(h)}) == client)
        waited |= q.compare_exchange_strong(h, 0, in_one_order, relaxed);
    }
    auto seen = s.lock.load(acquire);
    const bool holds = client_of(lock_word{seen}.holder()) == client;
    if (holds) {
      held.push_back(i);
      if (runs_on) {
        // its late stores must not meet the record's next life, nor another record in the same chunk
        e.kept_back_for = client;
        recall(i);
      }
      // nobody but its holder and we may take the lock off; others add bits meanwhile
      while (client_of(lock_word{seen}.holder()) == client &&
             !s.lock.compare_exchange_weak(seen, seen & ~lock_word::holder_bits, in_one_order,
                                           relaxed)) {
      }
      // it may have published a store and not counted it: caches must not take the old content for the new
      memory_->count_store(client);
      if (mutated(mutant::dead_holders_store_ignored)) e.seen_stores = s.current.load(acquire) >> 1;
    }
    // a wake-up may have died with it
    if (holds || waited || lock_word{seen}.has(lock_word::anybody_waits)) wake_all(i);
  });
  return held;
}

void record_table::forgive(std::uint32_t client) {
  place_taken_[client % table_client_places] = false;
  const auto found = kept_back_.find(client);
  if (found == kept_back_.end()) return;
  for (const auto i : found->second) {
    entry& e = entries_[i];
    pool_.give_back(e.chunk, e.order);
    e.kept_back_for = 0;
  }
  kept_back_.erase(found);
}

}  // namespace floe
