#include "protocol/rules/freeze.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace floe;
using namespace freeze_event;

namespace {

constexpr generation t1{101}, t2{102};

freeze_status at(freeze_state s) {
  return {.state = s, .tid = s == freeze_state::in_transaction ? t1 : generation::invalid};
}
constexpr auto thawed = freeze_state::thawed;
constexpr auto freezing = freeze_state::freezing;
constexpr auto frozen = freeze_state::frozen;
constexpr auto in_transaction = freeze_state::in_transaction;
constexpr auto ok = freeze_refusal::none;

}  // namespace

TEST_CASE("freeze: every event in every state") {
  struct row {
    const char* event;
    freeze_input in;
    freeze_state from, to;
    freeze_refusal refused;
    std::string effects;  // of: wait roll_back abandon frozen_now undone resume
  };
  using enum freeze_refusal;
  const std::vector<row> table{
      {"freeze, no locks", freeze{}, thawed, frozen, ok, ""},
      {"freeze, locks held", freeze{.locks_held = true}, thawed, freezing, ok, "wait "},
      {"freeze again", freeze{.locks_held = true}, freezing, freezing, ok, "wait "},
      {"freeze again", freeze{}, frozen, frozen, ok, ""},
      {"freeze again, transaction stays", freeze{}, in_transaction, in_transaction, ok, ""},

      {"ordinary unlock", last_holder_gone{}, thawed, thawed, ok, ""},
      {"last holder gone", last_holder_gone{}, freezing, frozen, ok, "frozen_now "},
      {"last holder gone, late", last_holder_gone{}, frozen, frozen, ok, ""},
      {"last holder gone, late", last_holder_gone{}, in_transaction, in_transaction, ok, ""},

      {"begin", begin{t2}, thawed, thawed, not_frozen, ""},
      {"begin", begin{t2}, freezing, freezing, not_frozen, ""},
      {"begin", begin{t2}, frozen, in_transaction, ok, ""},
      {"begin in a transaction", begin{t2}, in_transaction, in_transaction, ok, "roll_back "},
      {"begin, same tid", begin{t1}, in_transaction, in_transaction, ok, "roll_back "},

      {"wipe", wipe{t1}, thawed, thawed, not_frozen, ""},
      {"wipe", wipe{t1}, freezing, freezing, not_frozen, ""},
      {"wipe", wipe{t1}, frozen, frozen, no_transaction, ""},
      {"wipe", wipe{t1}, in_transaction, in_transaction, ok, ""},
      {"wipe, wrong tid", wipe{t2}, in_transaction, in_transaction, wrong_tid, ""},

      {"pull", pull{}, thawed, thawed, not_frozen, ""},
      {"pull", pull{}, freezing, freezing, not_frozen, ""},
      {"pull", pull{}, frozen, frozen, ok, ""},
      {"pull", pull{}, in_transaction, in_transaction, ok, ""},

      {"push_start", push_start{}, thawed, thawed, not_frozen, ""},
      {"push_start", push_start{}, freezing, freezing, not_frozen, ""},
      {"push_start", push_start{}, frozen, frozen, no_transaction, ""},
      {"push_start", push_start{}, in_transaction, in_transaction, ok, ""},

      {"push_confirm", push_confirm{}, thawed, thawed, not_frozen, ""},
      {"push_confirm", push_confirm{}, freezing, freezing, not_frozen, ""},
      {"push_confirm", push_confirm{}, frozen, frozen, no_transaction, ""},
      {"push_confirm", push_confirm{}, in_transaction, in_transaction, no_push, ""},

      {"commit", commit{t1}, thawed, thawed, not_frozen, ""},
      {"commit", commit{t1}, freezing, freezing, not_frozen, ""},
      {"commit", commit{t1}, frozen, frozen, no_transaction, ""},
      {"commit", commit{t1}, in_transaction, frozen, ok, ""},
      {"commit, wrong tid", commit{t2}, in_transaction, in_transaction, wrong_tid, ""},

      {"cancel", cancel{}, thawed, thawed, ok, ""},
      {"cancel", cancel{}, freezing, freezing, ok, ""},
      {"cancel", cancel{}, frozen, frozen, ok, ""},
      {"cancel", cancel{}, in_transaction, frozen, ok, "roll_back "},

      {"thaw", thaw{}, thawed, thawed, ok, ""},
      {"thaw, recovery given up", thaw{}, freezing, thawed, ok, "undone resume "},
      {"thaw", thaw{}, frozen, thawed, ok, "resume "},
      {"thaw, not committed", thaw{}, in_transaction, thawed, ok, "roll_back resume "},

      {"read", freeze_event::read{}, thawed, thawed, ok, ""},
      {"read", freeze_event::read{}, freezing, freezing, access_denied, ""},
      {"read", freeze_event::read{}, frozen, frozen, access_denied, ""},
      {"read", freeze_event::read{}, in_transaction, in_transaction, ok, ""},
  };
  for (const auto& r : table) {
    CAPTURE(r.event);
    CAPTURE(name(r.from));
    const auto s = step(at(r.from), r.in);
    CHECK(name(s.next.state) == name(r.to));
    CHECK(name(s.refused) == name(r.refused));
    std::string did;
    if (s.wait) did += "wait ";
    if (s.roll_back) did += "roll_back ";
    if (s.abandon_push) did += "abandon ";
    if (s.frozen_now) did += "frozen_now ";
    if (s.freeze_undone) did += "undone ";
    if (s.resume) did += "resume ";
    CHECK(did == r.effects);
    if (s.refused != ok) CHECK(s.next == at(r.from));
    const bool committed = s.committed != generation::invalid;
    CHECK(committed == (r.from == in_transaction && r.to == frozen && r.effects.empty()));
    CHECK((s.next.state == in_transaction) == (s.next.tid != generation::invalid));
  }
}

TEST_CASE("a whole recovery of a database, a client holding a lock at its start") {
  freeze_status s;
  auto go = [&](const freeze_input& e) {
    auto r = step(s, e);
    REQUIRE(r.refused == ok);
    s = r.next;
    return r;
  };
  CHECK(go(freeze{.locks_held = true}).wait);
  CHECK(go(freeze{.locks_held = true}).wait);  // the leader's next try joins
  CHECK(go(last_holder_gone{}).frozen_now);
  go(begin{t1});
  CHECK_FALSE(go(pull{}).nothing_to_pull);
  go(wipe{t1});
  go(push_start{});
  CHECK(go(push_start{}).abandon_push);
  CHECK(step(s, commit{t1}).refused == freeze_refusal::push_unconfirmed);
  go(push_confirm{});
  CHECK(go(commit{t1}).committed == t1);
  CHECK(go(thaw{}).resume);
  CHECK(s == freeze_status{});
}

TEST_CASE("a leader lost in the middle of a push: the next one starts clean") {
  freeze_status s = at(in_transaction);
  s.wiped = s.pushing = true;
  CHECK(step(s, freeze{}).next == s);
  const auto again = step(s, begin{t2});
  CHECK(again.roll_back);
  CHECK(again.abandon_push);
  CHECK(again.next == freeze_status{.state = in_transaction, .tid = t2});
  for (const freeze_input& end : {freeze_input{thaw{}}, freeze_input{cancel{}}}) {
    CHECK(step(s, end).roll_back);
    CHECK(step(s, end).abandon_push);
    CHECK_FALSE(step(s, end).next.pushing);
  }
}

TEST_CASE("trap: two leaders recover at once, and the same one loses at every node") {
  const generation older{0x80001123}, same{0x80002001}, later{0x80002fff}, ctdbds{1234567};
  const auto begun = [](generation tid, generation committed) {
    return step(at(frozen), begin{tid, committed}).refused;
  };
  CHECK(begun(later, older) == ok);
  CHECK(begun(older, later) == freeze_refusal::outdated);
  CHECK(begun(same, later) == freeze_refusal::outdated);  // as late, but loses
  CHECK(begun(later, same) == ok);
  CHECK(begun(later, later) == ok);  // the commit went well, the thaw did not
  CHECK(begun(ctdbds, later) == ok);
  CHECK(begun(older, ctdbds) == ok);
  auto s = step(at(frozen), begin{later}).next;
  CHECK(step(s, begin{same}).refused == freeze_refusal::outdated);
  CHECK(step(s, begin{later}).refused == ok);
  CHECK(step(s, begin{ctdbds}).refused == ok);
}

TEST_CASE("records of an inactive node neither serve nor count until they are replaced") {
  freeze_status s = step({}, freeze{.locks_held = true, .invalidate = true}).next;
  CHECK(s.records_invalid);
  CHECK(step(s, thaw{}).refused == freeze_refusal::records_invalid);
  s = step(s, last_holder_gone{}).next;
  CHECK(step(s, pull{}).nothing_to_pull);
  CHECK(step(s, thaw{}).refused == freeze_refusal::records_invalid);

  s = step(s, begin{t1}).next;
  CHECK(step(s, commit{t1}).next.records_invalid);  // nothing was replaced
  s = step(s, wipe{t1}).next;
  CHECK(step(s, pull{}).nothing_to_pull);
  CHECK(step(s, cancel{}).next.records_invalid);  // rolled back: they are there again
  CHECK(step(s, begin{t2}).next.records_invalid);
  s = step(s, commit{t1}).next;
  CHECK_FALSE(s.records_invalid);
  CHECK(step(s, thaw{}).resume);

  // invalidated while a recovery is under way: that recovery's wipe cures it as well
  s = step(at(in_transaction), freeze{.invalidate = true}).next;
  CHECK(s.records_invalid);
  CHECK(s.state == in_transaction);
}

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
                                          wipe{t},
                                          pull{},
                                          push_start{},
                                          push_confirm{},
                                          commit{t},
                                          cancel{},
                                          thaw{},
                                          freeze_event::read{}};
      const auto& e = all[chance() % all.size()];
      const auto r = step(s, e);
      if (r.refused != ok) {
        REQUIRE(r == freeze_step{.next = s, .refused = r.refused});
        continue;
      }
      const bool open = r.next.state == in_transaction;
      REQUIRE(open == (r.next.tid != generation::invalid));
      if (!open) REQUIRE_FALSE((r.next.wiped || r.next.pushing));
      if (r.next.state == thawed) REQUIRE_FALSE(r.next.records_invalid);
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
