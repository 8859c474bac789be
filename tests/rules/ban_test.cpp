#include "protocol/rules/ban.hpp"

#include <doctest/doctest.h>

using namespace floe;
using std::chrono::seconds;

namespace {

constexpr pnn n1{1}, n2{2}, n3{3};
evidence mark(pnn n, bool credit = true) {
  return {.node = n,
          .cause = failure_cause::timed_out,
          .db = db_id{1},
          .step = "freeze",
          .credit = credit};
}

}  // namespace

TEST_CASE("one recovery: three credits spoil it, worst first; what is no credit does not count") {
  std::vector<evidence> failures;
  auto add = [&](const evidence& e, int times) {
    for (int i = 0; i < times; ++i) failures.push_back(e);
  };
  CHECK(spoilers(failures).empty());
  add(mark(n1), 2);
  add(mark(n1, false), 5);
  add(mark(pnn::unknown), 9);
  CHECK(spoilers(failures).empty());
  add(mark(n2), 3);
  add(mark(n3), 4);
  auto found = spoilers(failures);
  REQUIRE(found.size() == 2);
  CHECK(found[0].node == n3);
  CHECK(found[0].credits == 4);
  CHECK(found[1].node == n2);
  CHECK(found[1].because == "node 2 timed out in freeze of 0x00000001 (3 times)");
  add(mark(n1), 2);  // as many as the worst: the lower pnn first
  found = spoilers(failures);
  REQUIRE(found.size() == 3);
  CHECK(found[0].node == n1);
  CHECK(spoilers(failures, 5).empty());
}

TEST_CASE("ledger: twice the number of nodes is enough, a success erases all") {
  ban_ledger l{seconds(120)};
  const time_point t{};
  for (int i = 0; i < 5; ++i) l.add(mark(n1), t + seconds(i));
  CHECK(l.verdicts(3, t + seconds(5)).empty());
  l.add(mark(n2), t + seconds(5), 6);  // judged by somebody else: as many credits as it takes
  l.add(mark(n1), t + seconds(6));
  l.add(mark(n1), t + seconds(6));
  const auto v = l.verdicts(3, t + seconds(6));
  REQUIRE(v.size() == 2);
  CHECK(v[0].node == n1);
  CHECK(v[0].credits == 7);
  CHECK(v[1].node == n2);
  l.add(mark(pnn::unknown), t, 99);
  CHECK(l.verdicts(3, t).size() == 2);
  l.clear();
  CHECK(l.verdicts(3, t).empty());
  CHECK(l.credits(n1, t) == 0);
}

TEST_CASE("ledger: old credits are forgotten") {
  ban_ledger l{seconds(120)};
  const time_point t{};
  l.add(mark(n1), t, 5);
  CHECK(l.credits(n1, t + seconds(120)) == 5);
  CHECK(l.credits(n1, t + seconds(121)) == 0);
  l.add(mark(n1), t + seconds(130));
  CHECK(l.credits(n1, t + seconds(130)) == 1);
  l.add(mark(n1), t + seconds(240));
  CHECK(l.credits(n1, t + seconds(240)) == 2);
}

TEST_CASE("trap: recoveries that fail after more than the grace period still add up") {
  ban_ledger l{seconds(120)};
  time_point t{};
  for (int attempt = 0; attempt < 6; ++attempt) {
    l.add(mark(n1), t);
    l.attempt_failed(t, t + seconds(130));
    t += seconds(131);
  }
  CHECK(l.verdicts(3, t).size() == 1);

  ban_ledger quiet{seconds(120)};  // but a failure much later revives nothing
  quiet.add(mark(n1), time_point{}, 6);
  quiet.attempt_failed(time_point{seconds(500)}, time_point{seconds(501)});
  CHECK(quiet.verdicts(3, time_point{seconds(501)}).empty());
}

TEST_CASE("evidence in words") {
  CHECK(describe(mark(n1)) == "node 1 timed out in freeze of 0x00000001");
  CHECK(describe(evidence{.cause = failure_cause::flag_conflict,
                          .db = db_id{0xabc},
                          .step = "idle",
                          .detail = "x"}) == "flag conflict in idle of 0x00000abc: x");
  CHECK(describe(evidence{.node = n2, .cause = failure_cause::refused, .step = "survey"}) ==
        "node 2 refused in survey");
}
