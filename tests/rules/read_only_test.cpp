/// Read-only copies: which headers they have, who may read, who is asked for them back, and when again.
#include "protocol/rules/read_only.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "protocol/rules/migration.hpp"
#include "protocol/rules/record_queue.hpp"

using namespace floe;
using namespace floe::record_flag;
using namespace std::chrono_literals;

namespace {

constexpr pnn me{0}, reader{1}, other{2};
constexpr time_point start{};

record_header header(std::uint64_t n, pnn dmaster, std::uint32_t flags = 0) {
  return {.rsn = rsn{n}, .dmaster = dmaster, .flags = flags};
}

queue_state with_copies(pnn lmaster = me) {
  return {.self = me,
          .lmaster = lmaster,
          .local = header(9, me, ro_have_delegations),
          .now = start,
          .hold_back = 5s};
}
queued_request local(record_use use, bool read_only = false) {
  return {.use = use, .source = me, .from = me, .since = start, .read_only = read_only};
}
queued_request peer(bool read_only) {
  return {.use = record_use::peer_call,
          .source = reader,
          .from = reader,
          .since = start,
          .read_only = read_only};
}
queue_step next(const queue_state& s, std::vector<queued_request> queue) {
  return next_step(s, queue);
}

}  // namespace

TEST_CASE("read-only copies: a copy is older than its record, before and after it is called back") {
  const auto before = header(4, me, migrated_with_data | 0x1);
  const auto first = decide_delegation(before);
  CHECK(first.kept == header(7, me, migrated_with_data | 0x1 | ro_have_delegations));
  CHECK(first.copy == header(5, me, migrated_with_data | 0x1 | ro_have_readonly));
  const auto second = decide_delegation(first.kept);
  CHECK(second.kept == first.kept);
  CHECK(second.copy == first.copy);

  const auto back = call_back_header(first.kept);
  CHECK(back == header(6, me, migrated_with_data | 0x1));
  CHECK(first.copy.rsn < back.rsn);
  CHECK(back.rsn < first.kept.rsn);
  CHECK(called_back_header(first.kept) == header(8, me, migrated_with_data | 0x1));
  // of a try that failed on another holder: the next copy is newer than what has been taken back
  const auto again = decide_delegation(not_called_back_header(first.kept));
  CHECK(again.copy.rsn > back.rsn);
  CHECK(again.copy.rsn < again.kept.rsn);
}

TEST_CASE("read-only copies: who takes one") {
  const auto copy = header(5, other, ro_have_readonly);
  CHECK(decide_copy(me, std::nullopt, copy) == copy_outcome::store);
  CHECK(decide_copy(me, header(4, other), copy) == copy_outcome::store);
  CHECK(decide_copy(me, header(6, other), copy) == copy_outcome::store);  // called back, and anew
  CHECK(decide_copy(me, header(7, other), copy) == copy_outcome::refuse);
  CHECK(decide_copy(me, header(4, me), copy) == copy_outcome::refuse);  // it has become ours
  CHECK(decide_copy(me, std::nullopt, header(5, other)) == copy_outcome::refuse);
  CHECK(decide_copy(me, std::nullopt, header(5, me, ro_have_readonly)) == copy_outcome::refuse);
}

TEST_CASE("read-only copies: who gives one back") {
  using enum call_back_outcome;
  const auto back = header(6, other, migrated_with_data);
  CHECK(decide_called_back(me, header(5, other, ro_have_readonly | 0x2), back) ==
        call_back_decision{end_copy, header(6, other, 0x2)});
  CHECK(decide_called_back(me, header(6, other), back).outcome == none);  // asked again
  CHECK(decide_called_back(me, std::nullopt, back).outcome == none);
  CHECK(decide_called_back(me, header(5, me), back).outcome == refuse);
  CHECK(decide_called_back(me, header(5, me, ro_have_delegations), back).outcome == refuse);
  CHECK(decide_called_back(me, header(5, other, ro_have_readonly), header(6, me)).outcome ==
        refuse);
  // by the owner's name, as a tool of ctdbd's may: what the record is stays, with what it says
  CHECK(decide_called_back(me, header(5, me, 0x1),
                           header(9, me, migrated_with_data | ro_have_readonly)) ==
        call_back_decision{write, header(9, me, 0x1 | migrated_with_data)});
  CHECK(decide_called_back(me, header(5, me), header(5, me)).outcome == outdated);
  // however high a number the sender names, the copy stays below the record
  CHECK(
      decide_called_back(me, header(5, other, ro_have_readonly), header(1000, other)).header.rsn ==
      rsn{6});
}

TEST_CASE("read-only copies: called back once from each holder, and again after a pause") {
  copies_out c(1s);
  c.given(reader);
  c.given(other);
  c.given(reader);
  CHECK(c.holders().size() == 2);
  CHECK(c.may_call_back(start));
  CHECK(c.call_back(1, start).size() == 2);
  CHECK(!c.may_call_back(start + 10s));
  c.answered(1, reader, true, start);
  CHECK(!c.complete());
  CHECK(c.waiting_for().size() == 1);
  c.answered(1, other, false, start + 1s);
  CHECK(c.now() == copies_out::state::failed);
  CHECK(c.holders().size() == 1);
  CHECK(!c.may_call_back(start + 1s));  // at once would be to spin
  REQUIRE(c.may_call_back(start + 2s));
  CHECK(c.call_back(7, start + 2s).front() == other);
  CHECK(c.since() == start);  // the age is that of the first try
  c.answered(1, other, true, start + 2s);
  CHECK(!c.complete());  // late, of the try before
  c.answered(7, other, true, start + 3s);
  CHECK(c.complete());
}

TEST_CASE("read-only copies: without holders nothing is waited for") {
  copies_out c(1s);
  CHECK(c.call_back(1, start).empty());
  CHECK(c.complete());
}

TEST_CASE("read-only copies: who writes waits for them, who reads does not") {
  using enum queue_action;
  CHECK(next(with_copies(), {local(record_use::read)}).action == answer);
  CHECK(next(with_copies(), {local(record_use::call, true)}).action == answer);
  CHECK(next(with_copies(), {peer(true)}).action == settle);
  const queue_step call_back{.call_back = true, .action = wait};
  CHECK(next(with_copies(), {local(record_use::lock)}) == call_back);
  CHECK(next(with_copies(), {local(record_use::call)}) == call_back);
  CHECK(next(with_copies(), {peer(false)}) == call_back);
  CHECK(next(with_copies(), {local(record_use::lock), peer(true)}) == call_back);
  // meanwhile no copy is given, not even when the writer has gone
  auto busy = with_copies();
  busy.calling_back = true;
  CHECK(next(busy, {peer(true)}) == queue_step{.action = wait});
  CHECK(next(busy, {local(record_use::read)}).action == answer);
}

TEST_CASE("read-only copies: a holder reads, and asks for the record if it wants to write") {
  using enum queue_action;
  auto s = with_copies(other);
  s.local = header(5, other, ro_have_readonly);
  CHECK(next(s, {local(record_use::read, true)}).action == answer);
  CHECK(next(s, {local(record_use::read)}) == queue_step{.ask = other, .action = wait});
  CHECK(next(s, {local(record_use::lock)}) == queue_step{.ask = other, .action = wait});
  s.local = header(6, other);
  CHECK(next(s, {local(record_use::read, true)}) ==
        queue_step{.ask = other, .ask_for_copy = true, .action = wait});
  // between a new map and the recovery copies are of a content that may not count
  s.local = header(5, other, ro_have_readonly);
  s.map_applies = false;
  CHECK(next(s, {local(record_use::read, true)}) == queue_step{.action = wait});
}

TEST_CASE("read-only copies: who has asked for one holds back nobody") {
  auto s = with_copies(reader);
  s.local = header(5, other);
  s.asked = other;
  auto through_lmaster = peer(false);
  CHECK(held_for_us(s, through_lmaster));
  s.asked_for_copy = true;
  CHECK(!held_for_us(s, through_lmaster));
}

TEST_CASE("read-only copies: a dmaster gives a copy to who reads, and its record to who writes") {
  const auto ours = header(4, me);
  CHECK(decide_req_call(me, me, reader, ours, 0, true).outcome == req_call_outcome::give_copy);
  CHECK(decide_req_call(me, other, reader, ours, 0, true).outcome == req_call_outcome::give_copy);
  CHECK(decide_req_call(me, me, reader, ours, 0).outcome == req_call_outcome::give_directly);
  CHECK(decide_req_call(me, me, reader, header(4, other), 0, true).outcome ==
        req_call_outcome::redirect);
}

TEST_CASE("read-only copies: nothing of them travels with a record") {
  const auto all = ro_all | migrated_with_data | 0x2;
  CHECK(giveaway_header(header(4, me, all), true, other).flags == (migrated_with_data | 0x2));
  CHECK(
      decide_reply_dmaster(me, {.new_dmaster = me, .rsn = rsn{4}, .flags = all}, {}).header.flags ==
      (migrated_with_data | 0x2));
}
