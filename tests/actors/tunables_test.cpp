/// Tunables that make a node say something in its log: slow requests, large databases, a slow cluster lock, and those that do
/// nothing here. With 0 it says nothing.
#include <doctest/doctest.h>

#include <algorithm>

#include "protocol/tunable_effects.hpp"
#include "protocol/types/statistics.hpp"
#include "protocol/types/tunable_value.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;

namespace {

std::size_t logged(const sim_cluster& c, const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      c.log(), [&](const auto& l) { return l.find(text) != std::string::npos; }));
}

}  // namespace

TEST_CASE("LogLatencyMs: whoever waited longer for a lock is named") {
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& holder = c.connect(0);
  auto& waiter = c.connect(0);
  const auto db = attach_now(c, holder, "locking.tdb");
  const auto wait_for = [&](duration held) {
    const auto lock = lock_now(c, holder, db, "k");
    std::optional<std::uint64_t> got;
    lock_record(waiter, db, "k", 20s, [&](const result<locked_record>& r) {
      if (r) got = r->lock_id;
    });
    pass(c, held);
    unlock_now(c, holder, lock.lock_id);
    REQUIRE(c.run([&] { return got.has_value(); }, 10s));
    unlock_now(c, waiter, *got);
  };
  wait_for(300ms);
  CHECK(logged(c, "slow-request") == 0);
  set(c, waiter, tunable::log_latency_ms, 200);
  wait_for(100ms);
  CHECK(logged(c, "slow-request") == 0);
  wait_for(300ms);
  CHECK(logged(c, "slow-request db=locking.tdb what=lock key=6b client=") == 1);
}

TEST_CASE("DBRecordCountWarn, DBRecordSizeWarn: a recovery that collects more says so") {
  sim_cluster c(2, 1, {.start = false});
  for (std::size_t n = 0; n < 2; ++n) {
    c.config(n).tunables[tunable::db_record_count_warn] = 3;
    c.config(n).tunables[tunable::db_record_size_warn] = 1000;
    c.start(n);
  }
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  const auto db = attach_now(c, who, "locking.tdb");
  const auto recover = [&] {
    c.kill(1);
    pass(c, 10s);
    c.start(1);
    pass(c, 10s);
    REQUIRE(c.settle(60s));
  };
  for (const char* key : {"a", "b", "c"}) write_now(c, who, db, key, "small");
  recover();
  CHECK(logged(c, "database-large") == 0);
  write_now(c, who, db, "d", "small");
  recover();
  CHECK(logged(c, "why=\"more records than DBRecordCountWarn\"") > 0);
  CHECK(logged(c, "DBRecordSizeWarn") == 0);
  write_now(c, who, db, "d", std::string(1001, 'x'));
  recover();
  CHECK(logged(c, "why=\"a record larger than DBRecordSizeWarn\"") > 0);
}

TEST_CASE("what does nothing says so when it is set, in the file or at run time") {
  sim_cluster c(1, 1, {.start = false});
  c.config(0).tunables[tunable::takeover_timeout] = 10;
  c.config(0).tunables[tunable::recover_timeout] = 31;
  c.start(0);
  REQUIRE(c.settle(20s));
  CHECK(logged(c, "tunable-idle name=TakeoverTimeout why=\"there are no public addresses\"") == 1);
  CHECK(logged(c, "tunable-idle") == 1);
  auto& who = c.connect(0);
  std::size_t idle = 1;
  for (const auto& info : all_tunables()) {
    if (info.obsolete) continue;
    set(c, who, info.which, info.value == 0 ? 1 : info.value + 1);
    idle += why_without_effect(info.which).empty() ? 0 : 1;
    CHECK(logged(c, "tunable-idle") == idle);
  }
}

TEST_CASE("RecLockLatencyMs: a cluster lock that takes longer to answer is named") {
  for (const std::uint32_t limit_ms : {0, 1, 1000}) {  // it answers within 2 to 12 ms
    CAPTURE(limit_ms);
    sim_cluster c(1, 1, {.cluster_lock = true, .start = false});
    c.config(0).tunables[tunable::reclock_latency_ms] = limit_ms;
    c.start(0);
    REQUIRE(c.settle(20s));
    CHECK((logged(c, "cluster-lock-slow ms=") > 0) == (limit_ms == 1));
    CHECK((logged(c, "to=taken") > 0) == (limit_ms == 1));
  }
}

TEST_CASE("statistics have how long the cluster lock took to be taken, and to be tested") {
  sim_cluster c(3, 1, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  const auto leader = c.leader();
  const auto other = (leader + 1) % 3;
  const auto statistics_of = [&](std::size_t n) {
    return answer_of<control::statistics>(c, c.connect(n)).value;
  };
  const auto of_leader = statistics_of(leader), of_other = statistics_of(other);
  // it answers within 2 to 12 ms
  for (const auto& l : {of_leader.reclock_recd, of_other.reclock_ctdbd}) {
    CHECK(l.num > 0);
    CHECK(l.min >= 0.002);
    CHECK(l.max >= l.min);
    CHECK(l.max < 0.1);
    CHECK(l.total >= l.max);
  }
  CHECK(of_other.reclock_recd.num == 0);

  answer_of<control::statistics_reset>(c, c.connect(other));
  CHECK(statistics_of(other).reclock_ctdbd.num == 0);
}

TEST_CASE("with 0 in every tunable a cluster comes up, serves records, and passes controls on") {
  sim_cluster c(3, 1, {.start = false});
  for (std::size_t n = 0; n < 3; ++n) {
    for (const auto& info : all_tunables()) c.config(n).tunables[info.which] = 0;
    c.config(n).tunables[tunable::allow_client_db_attach] = 1;  // 0 forbids what follows
    c.start(n);
  }
  REQUIRE(c.settle(60s));
  auto& one = c.connect(0);
  auto& other = c.connect(1);
  const auto db = attach_now(c, one, "locking.tdb");
  attach_now(c, other, "locking.tdb");
  write_now(c, one, db, "k", "first");
  CHECK(read_now(c, other, db, "k").data == "first");
  write_now(c, other, db, "k", "second");
  CHECK(read_now(c, one, db, "k").data == "second");
  // ControlTimeout: no limit, as in ctdbd
  CHECK(ask<control::ping>(c, one, {}, {.of = pnn{1}, .patience = 20s}).has_value());
  c.kill(2);
  pass(c, 10s);
  REQUIRE(c.settle(60s));
  CHECK(read_now(c, other, db, "k").data == "second");
}
