/// What checkers learn from the logs of nodes.
#include "cli/drill/run/log_reader.hpp"

#include <doctest/doctest.h>

using namespace floe::cli::drill;

namespace {

struct reading {
  observations seen;
  log_reader reader{seen, [](std::size_t) { return false; }, [](std::size_t, bool) {}};
  void pull(time_us at, std::size_t leader) {
    reader.line(at, leader, "recovery-pull db=a.tdb gen=2147495428 from=1,2");
  }
  void commit(time_us at, std::size_t node) {
    reader.line(at, node, "generation db=a.tdb 2147491332->2147495428");
  }
};

}  // namespace

TEST_CASE("a recovery is one, whichever log is read first") {
  reading r;
  SUBCASE("in the order of time") {
    r.pull(100, 1);
    r.commit(105, 0);
    r.commit(106, 1);
  }
  SUBCASE("a follower's before the leader's") {
    r.commit(105, 0);
    r.pull(100, 1);
    r.commit(106, 1);
  }
  REQUIRE(r.seen.recoveries.size() == 1);
  const auto& one = r.seen.recoveries.front();
  CHECK(one.at == 100);
  CHECK_FALSE(one.unchanged);
  CHECK(one.from == std::set<std::size_t>{1, 2});
  CHECK(one.committed == std::map<std::size_t, time_us>{{0, 105}, {1, 106}});
}

TEST_CASE("nobody is asked where nothing has changed, and a later try that asks is another") {
  reading r;
  r.commit(105, 0);
  r.pull(110, 1);
  REQUIRE(r.seen.recoveries.size() == 2);
  CHECK(r.seen.recoveries.front().unchanged);
}
