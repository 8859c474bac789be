/// The queue of one key: who is served next, by whom it is asked for, whose request is held back.
#include "protocol/rules/record_queue.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace floe;
using namespace std::chrono_literals;

namespace {

constexpr pnn me{0}, other{1}, third{2};
constexpr time_point start{};

queue_state here() {
  return {.self = me,
          .lmaster = other,
          .local = record_header{.rsn = rsn{3}, .dmaster = me},
          .now = start,
          .hold_back = 5s};
}
queue_state elsewhere() {
  auto s = here();
  s.local->dmaster = third;
  return s;
}
queued_request local(record_use use) {
  return {.use = use, .source = me, .from = me, .since = start};
}
queued_request peer(pnn source, pnn from) {
  return {.use = record_use::peer_call, .source = source, .from = from, .since = start};
}
queue_step next(const queue_state& s, std::vector<queued_request> queue) {
  return next_step(s, queue);
}

}  // namespace

TEST_CASE("record queue: what is here is served in its order") {
  using enum queue_action;
  CHECK(next(here(), {}) == queue_step{.action = wait});
  CHECK(next(here(), {local(record_use::lock), local(record_use::read)}) ==
        queue_step{.action = grant});
  CHECK(next(here(), {local(record_use::read), local(record_use::lock)}) ==
        queue_step{.action = answer});
  CHECK(next(here(), {local(record_use::call)}) == queue_step{.action = answer});
  CHECK(next(here(), {peer(third, other), local(record_use::lock)}) ==
        queue_step{.action = settle});
  auto held = here();
  held.held = true;
  CHECK(next(held, {local(record_use::look), peer(third, other)}) == queue_step{.action = wait});
}

TEST_CASE(
    "record queue: nothing is granted by a frozen database, and a new map says nothing before its "
    "recovery") {
  using enum queue_action;
  auto frozen = here();
  frozen.thawed = false;
  CHECK(next(frozen, {local(record_use::lock)}).action == wait);
  CHECK(next(frozen, {peer(third, other)}).action == wait);
  auto unmapped = here();
  unmapped.map_applies = false;
  CHECK(next(unmapped, {local(record_use::lock)}).action ==
        wait);  // its own: of a content that may not count
  CHECK(next(unmapped, {peer(third, other)}).action == wait);
  unmapped.local.reset();
  unmapped.lmaster = me;  // it would invent one
  CHECK(next(unmapped, {local(record_use::lock)}).action == wait);
  auto away = elsewhere();
  away.map_applies = false;
  CHECK(next(away, {local(record_use::lock)}) == queue_step{.action = wait});
}

TEST_CASE(
    "record queue: a record that is elsewhere is asked for once, of whom the copy names, or of the "
    "lmaster") {
  using enum queue_action;
  CHECK(next(elsewhere(), {local(record_use::lock)}) == queue_step{.ask = third, .action = wait});
  auto unknown = elsewhere();
  unknown.local.reset();
  CHECK(next(unknown, {local(record_use::lock)}) == queue_step{.ask = other, .action = wait});
  unknown.lmaster = pnn::unknown;
  CHECK(next(unknown, {local(record_use::lock)}) == queue_step{.action = wait});
  auto asked = elsewhere();
  asked.asked = third;
  CHECK(next(asked, {local(record_use::lock)}) == queue_step{.action = wait});
}

TEST_CASE(
    "record queue: a request of a peer that is not promised to us finds its way while we wait") {
  using enum queue_action;
  // it came from the node that wants it, which does not know yet that the record comes here
  CHECK(next(elsewhere(), {local(record_use::lock), peer(third, third)}) ==
        queue_step{.ask = third, .action = settle, .which = 1});
}

TEST_CASE("record queue: what waits behind a record that is given away is sent after it") {
  const auto given = *elsewhere().local;
  CHECK(sent_on_to(other, pnn::unknown, given, pnn{3}) == other);
  CHECK(sent_on_to(other, third, given, pnn{3}) == third);
  CHECK(sent_on_to(other, third, given, third) ==
        other);  // its own, an older one: it would meet itself
  CHECK(sent_on_to(other, pnn{4}, given, pnn{3}) == other);  // it has moved on
}

TEST_CASE("record queue: what is sent after a record that comes here waits for it") {
  auto asked = elsewhere();
  asked.asked = third;
  const auto after_it = peer(pnn{3}, third);  // who gave it to us had this one in its queue
  CHECK(held_for_us(asked, after_it));
  CHECK(next(asked, {after_it, local(record_use::lock)}) ==
        queue_step{.first = 1, .action = queue_action::wait});
  CHECK_FALSE(held_for_us(elsewhere(), after_it));  // we have not asked for it: it goes its way
  auto at_lmaster = asked;
  at_lmaster.lmaster = me;
  at_lmaster.local->dmaster = other;
  CHECK_FALSE(held_for_us(at_lmaster, after_it));  // sent to us as the lmaster, it may be anywhere
  asked.now += 5s;
  CHECK_FALSE(held_for_us(asked, after_it));
}

TEST_CASE("record queue: all that have waited for a record are served before it leaves") {
  using enum queue_action;
  auto came = here();
  came.came = start + 1ms;
  came.now = start + 2ms;
  const auto wants_it = peer(third, other);
  auto late = local(record_use::lock);
  late.since = start + 1ms;  // when it was here already
  CHECK(next(came, {wants_it, local(record_use::lock)}) == queue_step{.first = 1, .action = grant});
  CHECK(next(came, {wants_it, late, local(record_use::call)}) ==
        queue_step{.first = 2, .action = answer});
  CHECK(next(came, {wants_it, late}) == queue_step{.action = settle});
  CHECK(next(came, {wants_it, local(record_use::vacuum)}) == queue_step{.action = settle});
  came.now = *came.came + share_of_waiters;  // whoever had it first has kept it for too long
  CHECK(next(came, {wants_it, local(record_use::lock)}) == queue_step{.action = settle});
  auto gone = elsewhere();
  gone.came = start + 1ms;  // here, and gone again: as if it had never been here
  CHECK(next(gone, {wants_it, local(record_use::lock)}).action == settle);
}

TEST_CASE(
    "record queue: what the lmaster sends here while the record comes waits behind the first local "
    "one") {
  using enum queue_action;
  auto asked = elsewhere();
  asked.asked = third;
  const auto promised = peer(third, other);
  CHECK(held_for_us(asked, promised));
  CHECK(next(asked, {promised}) == queue_step{.action = wait});
  CHECK(next(asked, {promised, local(record_use::lock)}) == queue_step{.first = 1, .action = wait});
  // one that is not held back leaves, although it stands between the two
  CHECK(next(asked, {promised, peer(pnn{3}, pnn{3}), local(record_use::lock)}) ==
        queue_step{.first = 2, .action = settle, .which = 2});
  asked.now += 5s;  // it has waited long enough for a record that does not come
  CHECK_FALSE(held_for_us(asked, promised));
  CHECK(next(asked, {promised, local(record_use::lock)}) == queue_step{.action = settle});
}

TEST_CASE(
    "record queue: the lmaster holds others back only while its request is at the owner it knows") {
  auto at_lmaster = elsewhere();
  at_lmaster.lmaster = me;
  at_lmaster.asked = third;
  CHECK(held_for_us(at_lmaster, peer(other, other)));
  at_lmaster.local->dmaster = other;  // given on since: that node may wait for the record, too
  CHECK_FALSE(held_for_us(at_lmaster, peer(other, other)));
  at_lmaster.local->dmaster = third;
  CHECK_FALSE(held_for_us(at_lmaster, peer(me, third)));  // a copy of our own
}

TEST_CASE(
    "record queue: who only looks at what is here does not wait for a record that is on its way") {
  auto asked = elsewhere();
  asked.asked = third;
  CHECK(next(asked, {local(record_use::lock), local(record_use::look)}) ==
        queue_step{.first = 1, .action = queue_action::answer});
}

TEST_CASE(
    "record queue: a pending request is forgotten, kept, sent again, or fulfilled by a recovery") {
  using enum pending_action;
  auto asked = elsewhere();
  asked.asked = third;
  asked.now = start + 5s;
  CHECK(at_tick(asked, {.to = third, .sent = start, .wanted = false}, 5s).action == forget);
  CHECK(at_tick(asked, {.to = third, .sent = start + 1s}, 5s).action == keep);
  CHECK(at_tick(asked, {.to = third, .sent = start}, 5s) ==
        pending_step{.action = ask_again, .to = other});
  asked.lmaster = me;
  CHECK(at_tick(asked, {.to = other, .sent = start}, 5s) ==
        pending_step{.action = ask_again, .to = third});
  CHECK(at_thaw(asked) == pending_step{.action = ask_again, .to = third});
  asked.local->dmaster = me;
  CHECK(at_thaw(asked).action == arrived);
  CHECK(at_tick(asked, {.to = other, .sent = start}, 5s).to == pnn::unknown);
}
