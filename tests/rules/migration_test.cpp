#include "protocol/rules/migration.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/rules/placement.hpp"

using namespace floe;
using namespace floe::record_flag;

namespace {
constexpr pnn me{1}, other{2}, third{3};

record_header header(std::uint64_t n, pnn dmaster, std::uint32_t flags = 0) {
  return {.rsn = rsn{n}, .dmaster = dmaster, .flags = flags};
}
}  // namespace

TEST_CASE("store: each rule by itself, first match wins") {
  struct row {
    const char* what;
    pnn lmaster, dmaster;
    std::uint32_t flags;
    bool has_data;
    store_rule rule;
    bool keep, bump;
  };
  const std::vector<row> table{
      {"data, ours", other, me, 0, true, store_rule::has_data, true, true},
      {"data, not ours", other, other, 0, true, store_rule::has_data, true, false},
      {"data beats every flag", other, me, automatic | vacuum_migrated, true, store_rule::has_data,
       true, true},
      {"empty with a read-only flag", other, other, ro_have_readonly, false,
       store_rule::read_only_flag, true, false},
      {"empty, ours, delegated: no bump", other, me, ro_have_delegations, false,
       store_rule::read_only_flag, true, false},
      {"invented, not ours", other, other, automatic, false, store_rule::automatic, true, false},
      {"invented at its lmaster", me, me, automatic, false, store_rule::automatic, true, true},
      {"travelled with data once", other, other, migrated_with_data, false,
       store_rule::migrated_with_data, true, false},
      {"travelled with data, ours", other, me, migrated_with_data, false,
       store_rule::migrated_with_data, true, true},
      {"came home by vacuum, but had data", me, me, migrated_with_data | vacuum_migrated, false,
       store_rule::migrated_with_data, true, true},
      {"came home by vacuum, never had data", me, me, vacuum_migrated, false,
       store_rule::vacuumed_at_lmaster, false, false},
      {"vacuum flag at the lmaster, dmaster elsewhere", me, other, vacuum_migrated, false,
       store_rule::at_lmaster, true, false},
      {"lmaster keeps the location", me, other, 0, false, store_rule::at_lmaster, true, false},
      {"lmaster and dmaster", me, me, 0, false, store_rule::at_lmaster, true, true},
      {"dmaster elsewhere than lmaster", other, me, 0, false, store_rule::at_dmaster, true, true},
      {"given away, never had data: no trace", other, third, 0, false, store_rule::no_trace, false,
       false},
  };
  for (const auto& r : table) {
    CAPTURE(r.what);
    const auto h = header(7, r.dmaster, r.flags);
    CHECK(which_store_rule(db_kind::volatile_db, me, r.lmaster, h, r.has_data) == r.rule);
    const auto d = decide_store(db_kind::volatile_db, me, r.lmaster, h, r.has_data);
    CHECK(d.keep == r.keep);
    if (r.keep) {
      CHECK(number(d.header.rsn) == (r.bump ? 8 : 7));
      CHECK(d.header.dmaster == r.dmaster);
      CHECK(d.header.flags == (r.flags & ~(vacuum_migrated | automatic)));
    }
  }
}

TEST_CASE("store: unknown flags, reserved word and padding travel untouched") {
  record_header h = header(1, me, persistent | 0x80);
  h.reserved = 3;
  h.padding = 4;
  const auto d = decide_store(db_kind::volatile_db, me, me, h, true);
  h.rsn = rsn{2};
  CHECK(d.header == h);
}

TEST_CASE("store: persistent and replicated records are written exactly as given") {
  for (auto kind : {db_kind::persistent, db_kind::replicated})
    for (bool has_data : {false, true}) {
      const auto h = header(9, me, vacuum_migrated | ro_have_readonly);
      const auto d = decide_store(kind, me, me, h, has_data);
      CHECK(d.keep);
      CHECK(d.header == h);
    }
}

TEST_CASE("a missing record is invented, and written only where its location is known") {
  CHECK(missing_record_header(other) == header(0, other, automatic));

  const auto elsewhere = decide_missing(db_kind::volatile_db, me, other);
  CHECK_FALSE(elsewhere.write);
  CHECK(elsewhere.header == header(0, other, automatic));

  const auto here = decide_missing(db_kind::volatile_db, me, me);
  CHECK(here.write);
  CHECK(here.header == header(1, me));  // a new key starts with rsn 1 at its lmaster

  CHECK(decide_missing(db_kind::persistent, me, other).write);
  CHECK(decide_missing(db_kind::persistent, me, other).header == header(0, other));
  CHECK_FALSE(decide_missing(db_kind::replicated, me, other).write);
  CHECK(decide_missing(db_kind::replicated, me, me).header == header(0, me));
}

TEST_CASE("generation: a record packet acts only under the map it was routed by") {
  const generation g1{100}, g2{200};
  CHECK(accept_generation(g1, g1, false));
  CHECK_FALSE(accept_generation(g1, g2, false));
  CHECK_FALSE(accept_generation(g2, g1, false));
  CHECK_FALSE(accept_generation(g1, g1, true));
  CHECK_FALSE(accept_generation(generation::invalid, generation::invalid, false));
}

TEST_CASE("map: it applies to a database only once that was recovered under it") {
  CHECK(map_applies(generation{5}, generation{5}));
  CHECK_FALSE(map_applies(generation{5}, generation{6}));
  CHECK_FALSE(map_applies(generation::invalid, generation::invalid));
}

TEST_CASE("waiting: packets of peers die with the database's generation, those of clients do not") {
  CHECK(survives_wait(true, generation{5}, generation{5}));
  CHECK_FALSE(survives_wait(true, generation{5}, generation{6}));
  CHECK(survives_wait(false, generation{5}, generation{6}));
}

TEST_CASE("local call: served where the record is, otherwise the known dmaster is asked") {
  CHECK(decide_local_call(me, header(3, me)).serve);
  CHECK_FALSE(decide_local_call(me, header(3, other)).serve);
  CHECK(decide_local_call(me, header(3, other)).ask == other);
  CHECK(decide_local_call(me, missing_record_header(third)).ask == third);
  CHECK(decide_local_call(me, missing_record_header(pnn::unknown)).ask == pnn::unknown);
}

TEST_CASE("REQ_CALL: every situation") {
  struct row {
    const char* what;
    pnn lmaster, source, dmaster;
    req_call_outcome outcome;
    pnn to;
    std::uint32_t hops;
  };
  using enum req_call_outcome;
  const std::vector<row> table{
      {"own packet, record here", other, me, me, serve_own, pnn::unknown, 4},
      {"own packet, record here, we are lmaster", me, me, me, serve_own, pnn::unknown, 4},
      {"own packet, record elsewhere", other, me, third, redirect, other, 5},
      {"lmaster and dmaster", me, other, me, give_directly, other, 4},
      {"dmaster only", other, third, me, give_via_lmaster, other, 4},
      {"dmaster, requester is the lmaster", other, other, me, give_via_lmaster, other, 4},
      {"lmaster only", me, other, third, redirect, third, 5},
      {"lmaster, requester is the dmaster we know", me, third, third, redirect, third, 5},
      {"neither", other, third, third, redirect, other, 5},
      {"no map, not here", pnn::unknown, third, third, unroutable, pnn::unknown, 0},
      {"no map, here", pnn::unknown, third, me, unroutable, pnn::unknown, 0},
      {"we are lmaster, our copy names nobody", me, third, pnn::unknown, unroutable, pnn::unknown,
       0},
  };
  for (const auto& r : table) {
    CAPTURE(r.what);
    const auto d = decide_req_call(me, r.lmaster, r.source, header(3, r.dmaster), 4);
    CHECK(d.outcome == r.outcome);
    CHECK(d.to == r.to);
    CHECK(d.hops == r.hops);
  }
}

TEST_CASE("REQ_CALL: a request that wanders is reported now and then, and lost in the end") {
  for (std::uint32_t sent : {1U, 50U, 95U, 96U, 99U, 100U, 195U, 196U, 999U, 1000U, 2000U}) {
    CAPTURE(sent);
    const auto d = decide_req_call(me, other, third, header(1, third), sent - 1);
    CHECK(d.outcome == (sent < 1000 ? req_call_outcome::redirect : req_call_outcome::lost));
    CHECK(d.hops == sent);
    CHECK(d.report_hops == (sent % 100 > 95));
  }
}

TEST_CASE("a record given away names its new owner and remembers that it travelled with data") {
  CHECK(giveaway_header(header(4, me), false, other) == header(4, other));
  CHECK(giveaway_header(header(4, me), true, other) == header(4, other, migrated_with_data));
  CHECK(giveaway_header(header(4, me, migrated_with_data), false, other) ==
        header(4, other, migrated_with_data));
}

TEST_CASE("REQ_DMASTER: every situation") {
  struct row {
    const char* what;
    pnn lmaster, new_dmaster;
    std::optional<record_header> local;
    req_dmaster_outcome outcome;
    bool local_is_newer;
  };
  using enum req_dmaster_outcome;
  const std::vector<row> table{
      {"the sender is whom we know as dmaster", me, third, header(5, other), pass_on, false},
      {"same, and the record comes to us", me, me, header(5, other), become, false},
      {"our copy is newer: reported, the packet wins", me, third, header(9, other), pass_on, true},
      {"never seen here", me, third, std::nullopt, pass_on, false},
      {"never seen here, comes to us", me, me, std::nullopt, become, false},
      {"invented here, never owned", me, third, header(0, me), pass_on, false},
      {"we own it ourselves", me, third, header(1, me), not_dmaster, false},
      {"a third node owns it", me, third, header(5, third), not_dmaster, false},
      {"a third node owns it, rsn 0", me, me, header(0, third), not_dmaster, false},
      {"we are not the lmaster", other, third, header(5, other), not_lmaster, false},
      {"we are not the lmaster, though it comes to us", other, me, header(5, other), not_lmaster,
       false},
      {"no map", pnn::unknown, third, header(5, other), not_lmaster, false},
  };
  for (const auto& r : table) {
    CAPTURE(r.what);
    const dmaster_packet p{
        .source = other, .new_dmaster = r.new_dmaster, .rsn = rsn{6}, .flags = migrated_with_data};
    const auto d = decide_req_dmaster(me, r.lmaster, p, r.local);
    CHECK(d.outcome == r.outcome);
    CHECK(d.ask_for_recovery() == (r.outcome == not_lmaster || r.outcome == not_dmaster));
    if (!d.ask_for_recovery()) {
      CHECK(d.header == header(6, r.new_dmaster, migrated_with_data));
      CHECK(d.local_is_newer == r.local_is_newer);
    }
  }
}

TEST_CASE("trap: a REQ_DMASTER of an old generation at a node that is no longer lmaster") {
  // It waited here across the change of the map. First it is judged again by the map's generation,
  // which drops it...
  CHECK_FALSE(accept_generation(generation{100}, generation{200}, false));
  // ... and if a sender stamps it with the right generation in spite of another map, nobody dies of
  // it.
  const dmaster_packet p{.source = other, .new_dmaster = third, .rsn = rsn{6}};
  const auto d = decide_req_dmaster(me, third, p, header(5, other));
  CHECK(d.outcome == req_dmaster_outcome::not_lmaster);
  CHECK(d.ask_for_recovery());
}

TEST_CASE("trap: a request sent again after a recovery is routed by the new map") {
  const std::vector old_map{pnn{0}, pnn{1}, pnn{2}}, new_map{pnn{0}, pnn{2}};
  int moved = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string key = "key" + std::to_string(i);
    const pnn before = lmaster_of(key, old_map), after = lmaster_of(key, new_map);
    CHECK(decide_local_call(pnn{9}, missing_record_header(after)).ask == after);
    CHECK(decide_req_call(pnn{9}, after, pnn{9}, missing_record_header(after), 0).to == after);
    moved += before != after;
  }
  CHECK(moved > 0);
}

TEST_CASE("REPLY_DMASTER is stored whoever waits; only the awaited request is served") {
  struct row {
    awaited_record awaited;
    bool serve;
    std::uint32_t flags;
  };
  for (const auto& r : std::vector<row>{
           {{.found = true, .same_key = true}, true, migrated_with_data},
           {{.found = true, .same_key = true, .for_vacuuming = true},
            true,
            migrated_with_data | vacuum_migrated},
           {{.found = true, .same_key = false}, false, migrated_with_data},
           {{.found = false}, false, migrated_with_data},
       }) {
    const dmaster_packet p{
        .source = other, .new_dmaster = me, .rsn = rsn{6}, .flags = migrated_with_data};
    const auto d = decide_reply_dmaster(me, p, r.awaited);
    CHECK(d.serve == r.serve);
    CHECK(d.header == header(6, me, r.flags));
  }
}

TEST_CASE("a new key ends with rsn 3 at its requester") {
  const pnn l = other, r = me;
  const auto created = decide_missing(db_kind::volatile_db, l, l);
  CHECK(number(created.header.rsn) == 1);
  const auto given = giveaway_header(created.header, false, r);
  const auto left = decide_store(db_kind::volatile_db, l, l, given, false);
  CHECK(left.keep);
  CHECK(left.header == header(1, r));
  const dmaster_packet p{.source = l, .new_dmaster = r, .rsn = given.rsn, .flags = given.flags};
  const auto arrived = decide_reply_dmaster(r, p, {.found = true, .same_key = true});
  const auto first = decide_store(db_kind::volatile_db, r, l, arrived.header, false);
  const auto served = decide_store(db_kind::volatile_db, r, l, first.header, false);
  CHECK(served.header == header(3, r));
}

TEST_CASE("a pushed copy is stored where it is newer, and never in the place of a record of ours") {
  const generation gen{7};
  const auto pushed = header(9, other, 0x1 | 0x2 | ro_have_delegations | automatic);
  const auto stored = header(9, other, 0x1 | 0x2 | migrated_with_data);
  CHECK(decide_push_record(me, other, gen, gen, pushed, std::nullopt) == stored);
  CHECK(decide_push_record(me, other, gen, gen, pushed, header(8, other)) == stored);
  CHECK(decide_push_record(me, other, gen, gen, pushed, header(9, other)) == stored);
  CHECK(!decide_push_record(me, other, gen, gen, pushed, header(10, other)));
  CHECK(!decide_push_record(me, other, gen, gen, pushed, header(1, me)));
  CHECK(!decide_push_record(me, me, gen, gen, header(9, me), std::nullopt));
  CHECK(!decide_push_record(me, third, gen, gen, pushed, std::nullopt));  // not from its owner
  CHECK(!decide_push_record(me, other, gen, generation{6}, pushed, std::nullopt));
}
