/// Statistics of whole nodes: what STATISTICS counts, what each interval of the history adds, and what a reset zeroes, of the
/// node and of its databases.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "protocol/types/database.hpp"
#include "protocol/types/db_statistics.hpp"
#include "protocol/types/statistics.hpp"
#include "tests/actors/transaction_support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

/// Of the intervals of the history together.
template <class Member>
std::uint64_t in_history(sim_cluster& c, client& who, Member member) {
  std::uint64_t sum = 0;
  for (const auto& s : answer_of<control::get_stat_history>(c, who).value.stats)
    sum += static_cast<std::uint64_t>(member(s));
  return sum;
}

}  // namespace

TEST_CASE("statistics: transactions' records that are stored, as ctdbd counts its children") {
  sim_cluster c(2);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  auto& other = c.connect(1);
  const auto db = attach_kind(c, who, "secrets.tdb", db_kind::persistent);
  const auto before = answer_of<control::statistics>(c, who).value.childwrite_calls;
  for (const char* value : {"one", "two", "three"}) commit_now(c, who, db, {{"k", value}});
  for (auto* node : {&who, &other}) {
    const auto s = answer_of<control::statistics>(c, *node).value;
    CHECK(s.childwrite_calls == before + 3);
    CHECK(s.pending_childwrite_calls == 0);
    CHECK(s.childwrite_latency.num == s.childwrite_calls);
    CHECK(s.childwrite_latency.max >= s.childwrite_latency.min);
  }
  pass(c, 3s);
  CHECK(in_history(c, who, [](const auto& s) { return s.childwrite_calls; }) == before + 3);
  CHECK(in_history(c, who, [](const auto& s) { return s.childwrite_latency.num; }) == before + 3);
  answer_of<control::statistics_reset>(c, who);
  CHECK(answer_of<control::statistics>(c, who).value.childwrite_calls == 0);
}

TEST_CASE(
    "statistics: a reset zeroes the counters of databases, too, and read-only copies are in the "
    "history") {
  sim_cluster c(2);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  auto& other = c.connect(1);
  const auto db = attach_now(c, who, "locking.tdb");
  attach_now(c, other, "locking.tdb");
  for (auto* node : {&who, &other}) answer_of<control::set_db_readonly>(c, *node, db);
  write_now(c, other, db, "mine", "x");
  pass(c, 2s);
  for (int i = 0; i < 3; ++i) {
    write_now(c, who, db, "k", "value " + std::to_string(i));
    CHECK(read_now(c, other, db, "k").data == "value " + std::to_string(i));
  }
  pass(c, 3s);
  const auto of_node = answer_of<control::statistics>(c, who).value;
  const auto of_db = answer_of<control::get_db_statistics>(c, who, db).value;
  CHECK(of_node.total_ro_delegations == 3);
  CHECK(of_node.total_ro_revokes == 2);
  CHECK(of_db.db_ro_delegations == 3);
  CHECK(of_db.db_ro_revokes == 2);
  CHECK(of_db.locks.num_calls > 0);
  CHECK(of_db.locks_latency.num > 0);
  CHECK(in_history(c, who, [](const auto& s) { return s.total_ro_delegations; }) == 3);
  CHECK(in_history(c, who, [](const auto& s) { return s.total_ro_revokes; }) == 2);
  const auto work = [&] {
    const auto status = nlohmann::json::parse(c.status(0));
    for (const auto& d : status["databases"])
      if (d["name"] == "locking.tdb") return nlohmann::json(d["work"]);
    return nlohmann::json();
  };
  CHECK(work()["received_bytes"] > 0);
  CHECK(work()["sent_bytes"] > 0);
  CHECK(work()["stored_bytes"] >= 3 * 8);
  answer_of<control::statistics_reset>(c, who);
  pass(c, 10ms);
  const auto after = answer_of<control::get_db_statistics>(c, who, db).value;
  CHECK(after.locks.num_calls == 0);
  CHECK(after.locks_latency.num == 0);
  CHECK(after.db_ro_delegations == 0);
  CHECK(after.hop_count_bucket == counter_buckets{});
  CHECK(work()["received_bytes"] == 0);
  CHECK(answer_of<control::statistics>(c, who).value.total_ro_delegations == 0);
  // the other node was not asked to
  CHECK(answer_of<control::get_db_statistics>(c, other, db).value.locks.num_calls > 0);
}
