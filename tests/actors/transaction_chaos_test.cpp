/// Clients of all nodes commit while nodes die one after the other and recoveries are asked for.
/// Each transaction writes the same value to two keys: whatever happened, both are equal on every
/// node, and what a client was told is stored is stored. (One node at a time, and no cut network:
/// without a cluster lock two halves would go on by themselves.)
#include <algorithm>

#include "protocol/rules/commit.hpp"
#include "tests/actors/transaction_support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

class chaos {
 public:
  chaos(std::uint64_t seed, db_kind kind) : cluster_(3, seed), chance_(seed * 6101), kind_(kind) {
    REQUIRE(cluster_.settle(30s));
    workers_.resize(6);
    for (std::size_t i = 0; i < workers_.size(); ++i) hire(i);
    REQUIRE(cluster_.run([&] { return std::ranges::all_of(workers_, &worker::told); }, 30s));
  }

  void run(int blows) {
    for (int i = 0; i < blows; ++i) {
      pass(std::chrono::milliseconds(chance_() % 100) +
           std::chrono::microseconds(chance_() % 1000));
      const auto n = chance_() % 3;
      if (chance_() % 3 == 0) {
        workers_[n].c->control<control::set_recmode>(pnn::current, recovery_mode::active, 5s,
                                                     [](const auto&) {});
      } else {
        kill(n);
        pass(std::chrono::milliseconds(chance_() % 3000));
        cluster_.start(n);
        for (std::size_t w = n; w < workers_.size(); w += 3) hire(w);
      }
      REQUIRE(cluster_.settle(60s));
    }
    stop_ = true;
    CHECK(cluster_.run([&] { return std::ranges::none_of(workers_, &worker::busy); }, 120s));
    REQUIRE(cluster_.settle(60s));
  }

  void check() {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      keys.push_back("a" + std::to_string(i));
      keys.push_back("b" + std::to_string(i));
    }
    const auto first = here(cluster_, 0, db_, keys);
    const auto number = seqnum(cluster_, 0, db_);
    for (std::size_t n = 1; n < 3; ++n) {
      CHECK(here(cluster_, n, db_, keys) == first);
      CHECK(seqnum(cluster_, n, db_) == number);
    }
    int told = 0;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      CAPTURE(i);
      const auto& w = workers_[i];
      const auto value = [&](const char* key) {
        const auto f = first.find(key + std::to_string(i));
        return f == first.end() ? 0 : std::stoi(f->second);
      };
      CHECK(value("a") == value("b"));
      CHECK(value("a") >= w.told);
      CHECK(value("a") <= w.tried);
      told += w.told;
    }
    CHECK(told > 40);
    CHECK(number >= 40U);
  }

 private:
  struct worker {
    client* c = nullptr;
    transaction::ptr t;
    std::uint64_t contract = 0;
    int tried = 0, told = 0;
    bool busy = false;
  };

  void pass(duration d) {
    const auto end = cluster_.loop_now() + d;
    cluster_.run([&] { return cluster_.loop_now() >= end; }, d);
  }
  void hire(std::size_t i) {
    auto& w = workers_[i];
    w.c = &cluster_.connect(i % 3);
    const auto contract = ++w.contract;
    attach(*w.c, "chaos.tdb", kind_, 60s, [this, i, contract](const result<db_id>& db) {
      if (!db || workers_[i].contract != contract) return;
      db_ = *db;
      work(i, contract);
    });
  }
  void kill(std::size_t n) {
    for (std::size_t i = n; i < workers_.size(); i += 3) {
      auto& w = workers_[i];
      ++w.contract;
      w.busy = false;
      w.c->close();
      w.t.reset();
      cluster_.disconnect(*w.c);
      w.c = nullptr;
    }
    cluster_.kill(n);
  }
  void work(std::size_t i, std::uint64_t contract) {
    auto& w = workers_[i];
    w.t.reset();
    w.busy = false;
    if (stop_) return;
    w.busy = true;
    transaction::start(*w.c, db_, transaction::mode::read_write, 60s,
                       [this, i, contract](const result<transaction::ptr>& t) {
                         if (workers_[i].contract != contract) return;
                         if (!t) return work(i, contract);
                         workers_[i].t = *t;
                         write(i, contract);
                       });
  }
  void write(std::size_t i, std::uint64_t contract) {
    auto& w = workers_[i];
    const auto value = ++w.tried;
    w.t->store("a" + std::to_string(i), std::to_string(value), 30s, [](const result<void>&) {});
    w.t->store("b" + std::to_string(i), std::to_string(value), 30s,
               [this, i, contract, value](const result<void>& stored) {
                 if (workers_[i].contract != contract) return;
                 if (!stored) return work(i, contract);
                 workers_[i].t->commit(60s,
                                       [this, i, contract, value](const result<commit_result>& r) {
                                         if (workers_[i].contract != contract) return;
                                         if (r) workers_[i].told = value;
                                         work(i, contract);
                                       });
               });
  }

  sim_cluster cluster_;
  std::mt19937_64 chance_;
  db_kind kind_;
  db_id db_{0};
  std::vector<worker> workers_;
  bool stop_ = false;
};

}  // namespace

TEST_CASE(
    "transactions through deaths and recoveries: all or nothing, and nothing that was promised is "
    "lost") {
  const char* only = ::getenv("FLOE_SEED");
  const std::uint64_t first = only ? std::stoull(only) : 1, last = only ? first : thorough ? 3 : 1;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    CAPTURE(seed);
    chaos c(seed, seed % 3 ? db_kind::persistent : db_kind::replicated);
    c.run(6);
    c.check();
  }
}
