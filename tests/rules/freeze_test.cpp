// What a rule script cannot say of the freeze states: that it holds for any order of events. The stories are in
// freeze-*.txt.
#include "protocol/rules/freeze.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace floe;
using namespace freeze_event;

namespace {

constexpr auto thawed = freeze_state::thawed;
constexpr auto freezing = freeze_state::freezing;
constexpr auto frozen = freeze_state::frozen;
constexpr auto in_transaction = freeze_state::in_transaction;
constexpr auto ok = freeze_refusal::none;

}  // namespace

TEST_CASE(
    "random events: a transaction is open exactly in its state, and data is read only where it may "
    "be") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 chance(seed);
    freeze_status s;
    for (int i = 0; i < 2000; ++i) {
      const generation t{100 + static_cast<std::uint32_t>(chance() % 3)};
      const std::vector<freeze_input> all{freeze{chance() % 2 == 0, chance() % 50 == 0},
                                          last_holder_gone{},
                                          begin{t},
                                          begin{.tid = t, .outside = true, .map = t},
                                          freeze{.recovers = true},
                                          wipe{t},
                                          pull{},
                                          push_start{},
                                          push_confirm{},
                                          commit{t},
                                          commit{.tid = t, .recovering = true, .records = true},
                                          cancel{},
                                          thaw{},
                                          thaw{.outside = true, .recovering = true},
                                          thaw{.left_out = true},
                                          freeze_event::read{}};
      const auto& e = all[chance() % all.size()];
      const auto r = step(s, e);
      if (r.refused != ok) {
        REQUIRE(r == freeze_step{.next = s, .refused = r.refused});
        continue;
      }
      if (const auto* opens = std::get_if<thaw>(&e))
        if (opens->left_out || (opens->outside && s.recovered))
          REQUIRE(r == freeze_step{.next = s});
      const bool open = r.next.state == in_transaction;
      REQUIRE(open == (r.next.tid != generation::invalid));
      if (!open) REQUIRE_FALSE((r.next.wiped || r.next.pushing || r.next.outside));
      if (r.next.state == thawed) REQUIRE_FALSE((r.next.records_invalid || r.next.replaced));
      // what was replaced serves after the commit of a recovery, and not before
      if (s.replaced && !r.next.replaced)
        REQUIRE((r.committed != generation::invalid && !s.outside));
      if (r.next.replaced && !s.replaced) REQUIRE((s.outside && s.wiped));
      REQUIRE(r.resume == (s.state != thawed && r.next.state == thawed));
      REQUIRE(r.frozen_now == (s.state == freezing && r.next.state == frozen));
      // a transaction ends only by being committed or rolled back
      const bool ended = s.state == in_transaction && (!open || std::holds_alternative<begin>(e));
      REQUIRE(ended == (r.roll_back || r.committed != generation::invalid));
      if (r.committed != generation::invalid) REQUIRE(r.committed == s.tid);
      s = r.next;
    }
  }
}

TEST_CASE("after a recovery that leaves every record its owner only members of its map own any") {
  CHECK(may_own(true, true, false));
  CHECK_FALSE(
      may_own(true, false, false));  // it was leaving when the recovery began, and is not any more
  CHECK(
      may_own(false, false, false));  // all records belong to the leader, and move to whoever asks
  CHECK_FALSE(may_own(true, true, true));  // the recovery had begun before it wanted to leave
  CHECK_FALSE(may_own(false, false, true));
}
