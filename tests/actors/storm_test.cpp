/// Clients on all nodes count up records under locks while recoveries are forced again and again: no acknowledged
/// write is lost, none is applied twice, nobody waits for ever. Counting under a lock is the sharpest test there is of
/// "one owner at a time": any second owner loses an increment.
#include <doctest/doctest.h>

#include <map>

#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

namespace {

struct counter_client {
  client* c = nullptr;
  db_id db{0};
  std::uint64_t busy = 0;
};

class storm {
 public:
  storm(std::size_t nodes, std::size_t clients, std::uint64_t seed)
      : cluster_(nodes, seed), keys_(5) {
    REQUIRE(cluster_.settle(30s));
    for (std::size_t i = 0; i < clients; ++i) {
      auto& c = cluster_.connect(i % nodes);
      crew_.push_back({.c = &c, .db = attach_now(cluster_, c, i % 2 ? "a.tdb" : "b.tdb")});
      attach_now(cluster_, c, i % 2 ? "b.tdb" : "a.tdb");
    }
  }

  void run(duration how_long, duration recovery_every) {
    stop_at_ = cluster_.loop().now() + how_long;
    for (auto& w : crew_) go(w);
    force_recovery(recovery_every);
    REQUIRE(cluster_.run([this] { return idle(); }, how_long + 60s));
    CHECK(refused_ == 0);
  }

  void check() {
    REQUIRE(cluster_.settle(30s));
    for (auto& [where, expected] : acknowledged_) {
      auto& c = *crew_[expected % crew_.size()].c;
      const auto r = read_now(cluster_, c, where.first, where.second);
      CHECK(std::stoull(r.data) == expected);
    }
    CHECK(total_ > 300);
    MESSAGE(total_ << " increments, " << recoveries_ << " recoveries");
  }

 private:
  void go(counter_client& w) {
    if (cluster_.loop().now() >= stop_at_) return;
    ++w.busy;
    const std::string key = "k" + std::to_string(cluster_.loop().chance()() % keys_);
    lock_record(*w.c, w.db, key, 30s, [this, &w, key](const result<locked_record>& held) {
      if (!held) {
        INFO(held.error().describe());
        ++refused_;
        --w.busy;
        return;
      }
      const auto n = held->data.empty() ? 0 : std::stoull(held->data);
      store_record(*w.c, held->lock_id, std::to_string(n + 1), after_write::unlock, 30s,
                   [this, &w, key](const result<void>& r) {
                     --w.busy;
                     if (!r) return void(++refused_);
                     ++acknowledged_[{w.db, key}];
                     ++total_;
                     go(w);
                   });
    });
  }
  void force_recovery(duration every) {
    cluster_.loop().after(every + std::chrono::microseconds(cluster_.loop().chance()() % 50'000),
                          [this, every] {
                            if (cluster_.loop().now() >= stop_at_) return;
                            ++recoveries_;
                            auto& w = crew_[cluster_.loop().chance()() % crew_.size()];
                            w.c->control<control::set_recmode>(pnn::current, recovery_mode::active,
                                                               5s, [](const auto&) {});
                            force_recovery(every);
                          });
  }
  bool idle() const {
    if (cluster_.loop_now() < stop_at_) return false;
    for (const auto& w : crew_)
      if (w.busy) return false;
    return true;
  }

  sim_cluster cluster_;
  std::size_t keys_;
  std::vector<counter_client> crew_;
  std::map<std::pair<db_id, std::string>, std::uint64_t> acknowledged_;
  std::uint64_t total_ = 0, refused_ = 0, recoveries_ = 0;
  time_point stop_at_{};
};

}  // namespace

TEST_CASE("counting under locks is exact without recoveries") {
  storm s(3, 6, 11);
  s.run(thorough ? 2000ms : 500ms, 100s);
  s.check();
}

TEST_CASE("counting under locks is exact through many recoveries") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 10 : 1); ++seed) {
    CAPTURE(seed);
    storm s(3, 7, seed);
    s.run(thorough ? 3s : 1s, 100ms);
    s.check();
  }
}

TEST_CASE("counting under locks is exact on five nodes") {
  storm s(5, 10, 5);
  s.run(thorough ? 2000ms : 500ms, 200ms);
  s.check();
}
