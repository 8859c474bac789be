/// Threads on one table, for ThreadSanitizer: this program is compiled with the table's own sources and -fsanitize=thread
/// and links nothing else of floe. Eight threads of four clients lock, store and read two records that a ninth thread, the
/// node, calls back, collects, freezes and puts in again. Values count up: a lost store, a second holder or a torn read
/// shows as a number that is not the next one. Ends by itself after a number of rounds, with status 1 if one was found.
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "actors/table/record_table.hpp"
#include "actors/table/table_user.hpp"
#include "protocol/mutant.hpp"

namespace floe {
bool mutated(mutant) { return false; }
}  // namespace floe

using namespace floe;

namespace {

constexpr int rounds = 4000;
const bytes keys[] = {"first", "second"};

/// Eight times the same number: a torn copy has two.
bytes content_of(std::uint64_t n) {
  bytes b;
  for (int i = 0; i < 8; ++i) b.append(reinterpret_cast<const char*>(&n), sizeof n);
  return b;
}
std::uint64_t number_in(const bytes& b, std::atomic<int>& wrong) {
  std::uint64_t n = 0;
  if (b.empty()) return 0;
  if (b.size() != 64) return ++wrong, 0;
  std::memcpy(&n, b.data(), sizeof n);
  if (b != content_of(n)) ++wrong;
  return n;
}

struct shared {
  std::shared_ptr<table_memory> memory =
      table_memory::create_private({.sets = 2, .area_words = 4096});
  std::mutex node;  ///< stands in for the node's one thread and its socket
  record_table table{memory};
  std::map<bytes, table_record> outside;
  std::atomic<std::uint64_t> stores[2] = {0, 0};
  std::atomic<int> wrong{0}, running{0};
};

void ask_node(shared& s, const bytes& key) {
  const std::lock_guard hold(s.node);
  if (s.table.closed() || s.table.find(key)) return;
  const auto& r = s.outside[key];
  if (!s.table.promote(key, r.rsn, 0, r.data, table_holder::none)) ++s.wrong;
}

void one_client(shared& s, table_user& u, std::uint32_t thread) {
  table_place p;
  table_content c;
  bytes data;
  for (int i = 0; i < rounds;) {
    const int k = static_cast<int>((static_cast<unsigned>(i) * 7 + thread) % 2);
    const auto a = u.lock(keys[k], thread, {10'000'000}, p);
    if (a == table_answer::not_here) {
      ask_node(s, keys[k]);
      std::this_thread::yield();
      continue;
    }
    if (a != table_answer::good) {
      ++s.wrong;
      break;
    }
    u.read_locked(p, c, data);
    const auto before = number_in(data, s.wrong);
    if (before != s.stores[k].load(std::memory_order_relaxed)) ++s.wrong;
    if (u.store(p, thread, content_of(before + 1)) != table_answer::good) ++s.wrong;
    s.stores[k].store(before + 1, std::memory_order_relaxed);
    if (u.unlock(p, thread) != table_answer::good) ++s.wrong;
    if (u.read(keys[1 - k], 0, i % 3 == 0 ? read_wait::for_holder : read_wait::none, {10'000'000},
               c, data) == table_answer::good)
      number_in(data, s.wrong);
    ++i;
  }
  --s.running;
}

void take_free(shared& s) {
  for (const auto slot : std::vector(s.table.recalls()))
    if (s.table.look(slot).state == slot_state::free) {
      auto r = s.table.take(slot);
      if (!r)
        ++s.wrong;
      else
        s.outside[r->key] = std::move(*r);
    }
}

void the_node(shared& s) {
  for (unsigned turn = 0; s.running > 0; ++turn) {
    {
      const std::lock_guard hold(s.node);
      if (!s.table.collect([&](const table_record& r) { return number_in(r.data, s.wrong), true; })
               .empty())
        ++s.wrong;
      if (const auto slot = s.table.find(keys[turn % 2])) s.table.recall(*slot);
      take_free(s);
      if (turn % 8 == 0) s.table.close();
      if (s.table.closed() && !s.table.any_holder()) {
        for (const auto slot : s.table.filled()) s.table.recall(slot);
        take_free(s);
        if (s.table.records() != 0) ++s.wrong;
        s.table.reopen();
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

}  // namespace

int main() {
  shared s;
  std::vector<std::unique_ptr<table_user>> users;
  for (int i = 0; i < 4; ++i)
    users.push_back(std::make_unique<table_user>(s.memory, s.table.admit(), -1));
  std::vector<std::thread> threads;
  s.running = 8;
  for (std::uint32_t i = 0; i < 8; ++i)
    threads.emplace_back([&, i] { one_client(s, *users[i / 2], 1 + i % 2); });
  threads.emplace_back([&] { the_node(s); });
  for (auto& t : threads) t.join();
  const auto total = s.stores[0] + s.stores[1];
  std::printf("1..1\n%sok 1 - %llu stores of 8 threads, %d faults\n",
              s.wrong || total != 8 * rounds ? "not " : "", static_cast<unsigned long long>(total),
              s.wrong.load());
  return s.wrong || total != 8 * rounds ? 1 : 0;
}
