#include "protocol/rules/vacuum.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace floe;

TEST_CASE("vacuum: an old copy is dropped, what is ours or newer or in use is kept") {
  using enum try_delete_outcome;
  constexpr pnn me{0}, owner{1}, third{2};
  const auto header = [](std::uint64_t n, pnn dmaster, std::uint32_t flags = 0) {
    return record_header{.rsn = rsn{n}, .dmaster = dmaster, .flags = flags};
  };
  const auto offered = header(5, owner);
  CHECK(decide_try_delete(me, owner, header(4, owner), offered, false) == drop);
  CHECK(decide_try_delete(me, owner, header(5, third), offered, false) == drop);
  CHECK(decide_try_delete(me, owner, std::nullopt, offered, false) == gone);
  CHECK(decide_try_delete(me, owner, header(6, owner), offered, false) == keep);
  CHECK(decide_try_delete(me, owner, header(4, me), offered, false) == keep);
  CHECK(decide_try_delete(me, me, header(4, owner), offered, false) == keep);
  CHECK(decide_try_delete(me, me, std::nullopt, offered, false) == keep);
  CHECK(decide_try_delete(me, owner, header(4, owner), offered, true) == keep);
  CHECK(decide_try_delete(me, owner, std::nullopt, offered, true) == keep);
  CHECK(decide_try_delete(me, owner, header(4, owner, record_flag::ro_have_readonly), offered,
                          false) == keep);
  CHECK(decide_try_delete(me, owner, header(4, owner),
                          header(5, owner, record_flag::ro_have_delegations), false) == keep);
}

namespace {

std::vector<offered_deletion> three() {
  std::vector<offered_deletion> all;
  for (const char* key : {"a", "b", "c"})
    all.push_back({.what = {.key = key, .since = {}}, .header = {.rsn = rsn{4}}});
  return all;
}
using said = agreed_deletion::outcome;
std::vector<said> outcomes(agreed_deletion& d) {
  std::vector<said> all;
  for (const auto& r : d.end()) all.push_back(r.outcome);
  return all;
}

}  // namespace

TEST_CASE("vacuum: the list knows its size, and is as small as before when all have left it") {
  deletion_queue q;
  const auto empty = q.size_bytes();
  q.add("a", {});
  const auto one = q.size_bytes() - empty;
  CHECK(one > 1);
  q.add("a", {});  // each once
  CHECK(q.size_bytes() == empty + one);
  q.add(std::string(1000, 'b'), {});
  CHECK(q.size_bytes() == empty + 2 * one + 999);
  q.remove("a");
  q.remove("a");
  CHECK(q.size_bytes() == empty + one + 999);
  CHECK(q.take());
  CHECK(q.size_bytes() == empty);
  q.add("c", {});
  q.clear();
  CHECK(q.size_bytes() == empty);
}

TEST_CASE("vacuum: what becomes of a deleted record where it was deleted") {
  using enum vacuum_step;
  constexpr pnn me{0}, other{1};
  const auto record = [](pnn dmaster, bool empty, std::uint32_t flags = 0) {
    return deleted_record{{.rsn = rsn{5}, .dmaster = dmaster, .flags = flags}, empty};
  };
  CHECK(decide_vacuum(me, other, record(me, true), false) == send_home);
  CHECK(decide_vacuum(me, me, record(me, true), false) == ask_all);
  CHECK(decide_vacuum(me, me, record(me, true), true) == later);
  CHECK(decide_vacuum(me, pnn::unknown, record(me, true), false) == later);
  CHECK(decide_vacuum(me, me, record(me, false), false) == forget);
  CHECK(decide_vacuum(me, me, record(other, true), false) == forget);
  CHECK(decide_vacuum(me, me, std::nullopt, false) == forget);
  CHECK(decide_vacuum(me, me, record(me, true, record_flag::ro_have_delegations), false) == forget);
}

TEST_CASE("vacuum: a deletion needs the word of every node") {
  const std::vector<pnn> others{pnn{1}, pnn{2}};
  agreed_deletion d;
  d.begin(three(), others);
  d.answered(d.number(), pnn{1}, std::vector<bytes>{});
  CHECK_FALSE(d.complete());
  d.answered(d.number(), pnn{2}, std::vector<bytes>{});
  CHECK(d.complete());
  CHECK(outcomes(d) == std::vector{said::agreed, said::agreed, said::agreed});
}

TEST_CASE("vacuum: a record that one node keeps stays, also the last of them (bug 14147)") {
  const std::vector<pnn> others{pnn{1}, pnn{2}};
  agreed_deletion d;
  d.begin(three(), others);
  d.answered(d.number(), pnn{1}, std::vector<bytes>{"c"});
  d.answered(d.number(), pnn{2}, std::vector<bytes>{"a", "not offered"});
  CHECK(outcomes(d) == std::vector{said::refused, said::agreed, said::refused});
}

TEST_CASE(
    "vacuum: a node that has not carried it out leaves all as it is; late answers change nothing") {
  const std::vector<pnn> others{pnn{1}, pnn{2}};
  agreed_deletion d;
  d.begin(three(), others);
  const auto first = d.number();
  d.answered(first, pnn{1}, std::nullopt);
  d.answered(first, pnn{2}, std::vector<bytes>{});
  CHECK(outcomes(d) == std::vector{said::unknown, said::unknown, said::unknown});
  d.begin(three(), others);
  d.answered(first, pnn{1}, std::vector<bytes>{});
  CHECK(d.waiting_for().size() == 2);
  d.answered(d.number(), pnn{1}, std::vector<bytes>{});
  CHECK(outcomes(d) == std::vector{said::unknown, said::unknown,
                                   said::unknown});  // ended before the second said anything
  d.begin(three(), {});
  CHECK(d.complete());
  CHECK(outcomes(d) == std::vector{said::agreed, said::agreed, said::agreed});
}

TEST_CASE("vacuum: nothing is forgotten while a member of the map is away") {
  const std::vector<pnn> map{pnn{0}, pnn{1}};
  std::vector<vacuum_peer> nodes{{.node = pnn{0}}, {.node = pnn{1}}, {.node = pnn{2}}};
  CHECK(who_must_agree(pnn{0}, nodes, map) == std::vector{pnn{1}, pnn{2}});
  nodes[2].active = false;  // no member: its copies are void when it comes back
  CHECK(who_must_agree(pnn{0}, nodes, map) == std::vector{pnn{1}});
  nodes[1].connected = false;
  CHECK(who_must_agree(pnn{0}, nodes, map) == std::nullopt);
}

TEST_CASE("vacuum: the queue has each key once, oldest first, and forgets what lives again") {
  deletion_queue q;
  const time_point t{};
  q.add("a", t);
  q.add("b", t);
  q.add("a", t + std::chrono::seconds(1));
  q.add("c", t, 2);
  CHECK(q.size() == 3);
  CHECK(q.oldest() == t);
  q.remove("b");
  q.remove("unknown");
  CHECK(q.take()->key == "a");
  CHECK(q.take()->refusals == 2);
  CHECK_FALSE(q.take().has_value());
  CHECK(q.empty());
  for (int i = 0; i < 1000; ++i) {  // made and deleted again and again: the queue does not grow
    q.add("d", t);
    q.remove("d");
  }
  CHECK(q.size() == 0);
}
