/// Real processes that are killed at random points, holding, storing or waiting, by the thousand. Each client counts a
/// record up under its lock and notes, in memory of its own, what it is about to store and what it has stored; whoever
/// gets the lock next must find one of the two, and what was stored if the store had returned.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <map>
#include <random>

#include "actors/table/record_table.hpp"
#include "actors/table/table_user.hpp"

using namespace floe;

namespace {

// A process is started for each, which sanitizers make slow: the optimised build kills thousands.
#ifdef FLOE_SANITIZED
constexpr unsigned kills = 300;
#else
constexpr unsigned kills = 2000;
#endif
constexpr unsigned records = 3, clients = 4;

struct shared_log {
  std::atomic<std::uint64_t> intended[records], stored[records], rounds, faults;
};

bytes key_of(unsigned k) { return "record " + std::to_string(k); }
bytes content_of(std::uint64_t n) {
  bytes b;
  for (int i = 0; i < 25; ++i) b.append(reinterpret_cast<const char*>(&n), sizeof n);
  return b;
}
bool number_in(const bytes& b, std::uint64_t& n) {
  n = 0;
  if (b.size() < sizeof n) return b.empty();
  std::memcpy(&n, b.data(), sizeof n);
  return b == content_of(n);
}

[[noreturn]] void client(int fd, std::uint32_t number, shared_log& log, unsigned seed) {
  auto memory = table_memory::map(fd);
  if (!memory) ::_exit(2);
  table_user u(*memory, number, -1);
  std::minstd_rand chance(seed);
  table_place p;
  table_content c;
  bytes data;
  for (;;) {
    const auto k = static_cast<unsigned>(chance() % records);
    if (u.lock(key_of(k), 1, {20'000'000}, p) != table_answer::good) {
      ++log.faults;
      ::_exit(3);
    }
    std::uint64_t n = 0;
    u.read_locked(p, c, data);
    const auto low = log.stored[k].load(), high = log.intended[k].load();
    if (!number_in(data, n) || (n != low && n != high)) ++log.faults;
    // from here on this is what was stored, whoever did it
    log.stored[k] = n;
    log.intended[k] = n + 1;
    if (u.store(p, 1, content_of(n + 1)) != table_answer::good) ++log.faults;
    log.stored[k] = n + 1;
    u.unlock(p, 1);
    ++log.rounds;
  }
}

}  // namespace

TEST_CASE("thousands of clients are killed, and no store is lost, torn or made twice") {
  void* at = ::mmap(nullptr, sizeof(shared_log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                    -1, 0);
  REQUIRE(at != MAP_FAILED);
  auto& log = *new (at) shared_log{};
  auto memory = table_memory::create_shared({.sets = 4, .area_words = 8192});
  REQUIRE(memory.has_value());
  record_table table(*memory);
  for (unsigned k = 0; k < records; ++k)
    REQUIRE(table.promote(key_of(k), 0, 0, content_of(0), table_holder::none));

  std::mt19937 chance(1);
  std::map<pid_t, std::uint32_t> alive;
  const auto start = [&] {
    const auto number = table.admit();
    REQUIRE(number != 0);
    const int fd = ::fcntl((*memory)->descriptor(), F_DUPFD_CLOEXEC, 3);
    const auto seed = static_cast<unsigned>(chance());
    const pid_t child = ::fork();
    if (child == 0) client(fd, number, log, seed);
    ::close(fd);
    alive[child] = number;
  };
  for (unsigned i = 0; i < clients; ++i) start();
  unsigned held = 0;
  for (unsigned i = 0; i < kills; ++i) {
    // by rounds, not by time: on a busy machine, too, something happens between two deaths
    const auto enough = log.rounds + chance() % 40;
    const auto patience = table_clock_us() + 5'000'000;
    while (log.rounds < enough && table_clock_us() < patience) ::sched_yield();
    const auto victim = std::next(alive.begin(), static_cast<long>(chance() % alive.size()));
    ::kill(victim->first, SIGKILL);
    int status = 0;
    ::waitpid(victim->first, &status, 0);
    if (!WIFSIGNALED(status)) ++log.faults;
    held += !table.clear(victim->second, false).empty();
    alive.erase(victim);
    if (i % 16 == 0 && !table.collect([](const table_record&) { return true; }).empty())
      ++log.faults;
    start();
  }
  for (const auto& [pid, number] : alive) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    table.clear(number, false);
  }
  for (unsigned k = 0; k < records; ++k) {
    const auto slot = *table.find(key_of(k));
    REQUIRE(table.recall(slot).state == slot_state::free);
    const auto r = table.take(slot);
    REQUIRE(r.has_value());
    std::uint64_t n = 0;
    CHECK(number_in(r->data, n));
    CHECK((n == log.stored[k] || n == log.intended[k]));
    CHECK(r->rsn == n);
  }
  CHECK(log.faults == 0);
  CHECK(held > 0);
  MESSAGE(kills << " killed, " << held << " of them held a lock, " << log.rounds.load()
                << " rounds");
  ::munmap(at, sizeof(shared_log));
}
