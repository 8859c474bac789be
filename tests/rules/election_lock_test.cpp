/// Who leads when a cluster lock is configured, and claims of older and later terms.
#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>

#include "protocol/rules/election.hpp"

using namespace floe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr pnn me{1}, zero{0}, two{2};
using enum election_timer;
using enum lock_outcome;

struct single {
  election e;
  std::array<std::optional<election_effect::arm>, 5> timers;
  std::uint64_t try_serial = 0;

  explicit single(bool with_lock, bool can_lead = true) : e(me, {}, with_lock) {
    step(election_event::standing_changed{
        {.can_lead = can_lead, .priority = {100, 0}, .connected = 3}});
    step(election_event::start{});
  }
  std::string step(const election_input& in) {
    std::string did;
    for (const auto& o : e.step(in)) {
      if (auto* a = std::get_if<election_effect::arm>(&o))
        timers[static_cast<std::size_t>(a->timer)] = *a;
      if (auto* l = std::get_if<election_effect::send_leader>(&o))
        did += l->leader == pnn::unknown ? "say-unknown "
                                         : "say-self-" + std::to_string(l->term) + " ";
      if (std::holds_alternative<election_effect::send_vote>(o)) did += "vote ";
      if (auto* c = std::get_if<election_effect::leader_changed>(&o))
        did += "leader=" + (c->to == pnn::unknown ? "?" : std::to_string(number(c->to))) + " ";
      if (auto* t = std::get_if<election_effect::send_term>(&o))
        did += std::string(t->led ? "deposed-" : "term-") + std::to_string(t->term) + "-to-" +
               std::to_string(number(t->to)) + " ";
      if (auto* t = std::get_if<election_effect::take_lock>(&o)) {
        did += "take ";
        try_serial = t->serial;
      }
      if (std::holds_alternative<election_effect::release_lock>(o)) did += "release ";
      if (std::holds_alternative<election_effect::contradicted>(o)) did += "contradicted ";
    }
    return did;
  }
  std::string fire(election_timer t) {
    const auto a = timers[static_cast<std::size_t>(t)];
    REQUIRE(a);
    return step(election_event::fired{t, a->serial});
  }
  duration armed(election_timer t) { return timers[static_cast<std::size_t>(t)]->after; }
  std::string claim(pnn from, std::optional<std::uint64_t> term = {}) {
    return step(election_event::leader_heard{from, from, term});
  }
  std::string unknown(pnn from = zero) {
    return step(election_event::leader_heard{from, pnn::unknown, {}});
  }
  std::string lock(lock_outcome o) { return step(election_event::lock_answered{try_serial, o}); }
  std::string cannot_lead() {
    return step(election_event::standing_changed{{.inactive = true, .priority = {999, 0}}});
  }
  void become_leader() {
    fire(leader_silent);
    lock(taken);
    REQUIRE(e.leads());
  }
};

}  // namespace

TEST_CASE("with a lock: silence starts a race, and whoever gets the lock leads at once") {
  single s(true);
  CHECK(s.fire(leader_silent) == "say-unknown take ");
  CHECK(s.e.state() == election_state::racing);
  CHECK_FALSE(s.e.leads());
  CHECK(s.lock(taken) == "leader=1 say-self-1 ");
  CHECK(s.e.leads());
  CHECK(s.fire(broadcast) == "say-self-1 ");
}

TEST_CASE(
    "not getting the lock is no fault: follow whoever leads, and try again while nobody does") {
  single s(true);
  s.fire(leader_silent);
  CHECK(s.lock(contended).empty());
  CHECK(s.e.state() == election_state::settled);
  CHECK(s.armed(lock_again) == milliseconds(200));
  CHECK(s.fire(leader_silent).empty());  // the next try is planned already
  CHECK(s.fire(lock_again) == "take ");
  s.lock(contended);
  CHECK(s.armed(lock_again) == milliseconds(400));
  for (int i = 0; i < 8; ++i) {
    s.fire(lock_again);
    s.lock(contended);
  }
  CHECK(s.armed(lock_again) <= seconds(10));
  CHECK(s.claim(two, 7) == "leader=2 ");
  CHECK(s.fire(lock_again).empty());  // somebody leads
}

TEST_CASE("an error of the lock is tried again after a pause that grows") {
  single s(true);
  s.fire(leader_silent);
  CHECK(s.lock(failed).empty());
  CHECK(s.armed(lock_again) == seconds(1));
  CHECK(s.fire(lock_again) == "take ");
  s.lock(failed);
  CHECK(s.armed(lock_again) == seconds(2));
  CHECK(s.e.leader() == pnn::unknown);
}

TEST_CASE(
    "an unknown leader: the holder says that it leads, the others race, one that cannot lead does "
    "not") {
  single holder(true);
  holder.become_leader();
  CHECK(holder.unknown() == "say-self-1 ");
  CHECK(holder.e.leads());

  single other(true);
  other.claim(two, 3);
  CHECK(other.unknown() == "leader=? take ");
  CHECK(other.unknown().empty());  // one try at a time
  CHECK(other.claim(two, 3) == "leader=2 ");
  CHECK(other.lock(contended).empty());
  CHECK(other.e.leader() == two);

  single passive(true, false);
  CHECK(passive.fire(leader_silent).empty());
  CHECK(passive.unknown().empty());
}

TEST_CASE("the lock decides against a leader that was heard during the race") {
  single s(true);
  s.fire(leader_silent);
  s.claim(two);  // a late packet of a former leader
  CHECK(s.e.leader() == two);
  CHECK(s.lock(taken) == "leader=1 say-self-1 ");
  CHECK(s.e.leads());
}

TEST_CASE("the holder cannot be talked out of its office, and makes its term the latest") {
  single s(true);
  s.become_leader();
  for (int i = 0; i < 5; ++i) CHECK(s.claim(two) == "contradicted ");
  CHECK(s.claim(two, 9) == "say-self-10 contradicted ");
  CHECK(s.claim(two, 3) == "contradicted ");
  CHECK(s.e.leads());
  CHECK(s.step(election_event::term_heard{12, true}) == "say-self-13 ");
}

TEST_CASE("two that both believe to hold the lock do not shout at each other without end") {
  single s(true);
  s.fire(leader_silent);
  s.lock(taken);
  CHECK(s.claim(zero, 10) == "say-self-11 contradicted ");
  CHECK(s.claim(zero, 12) == "contradicted ");  // heard, and answered with the next broadcast
  CHECK(s.claim(zero, 20) == "contradicted ");
  CHECK(s.fire(broadcast) == "say-self-21 ");
  CHECK(s.claim(zero, 22) == "say-self-23 contradicted ");
}

TEST_CASE("losing the lock ends the office at once; the others may try first") {
  single s(true);
  s.become_leader();
  CHECK(s.step(election_event::lock_lost{s.try_serial}) == "leader=? say-unknown ");
  CHECK_FALSE(s.e.leads());
  CHECK_FALSE(s.e.holds_lock());
  CHECK(s.fire(lock_again) == "take ");
  CHECK(s.lock(taken) == "leader=1 say-self-2 ");  // another term of office
}

TEST_CASE("a leader that cannot lead any more gives up the lock, and says so when it can be had") {
  single s(true);
  s.become_leader();
  CHECK(s.cannot_lead() == "release leader=? ");
  CHECK_FALSE(s.e.leads());
  CHECK(s.step(election_event::lock_released{}) == "say-unknown ");

  single racing(true);
  racing.fire(leader_silent);
  const auto late = racing.try_serial;
  CHECK(racing.cannot_lead() == "release ");
  CHECK(racing.step(election_event::lock_answered{late, taken}).empty());
  CHECK_FALSE(racing.e.holds_lock());
}

TEST_CASE("the loss of the leader's connection starts the race at once") {
  single s(true);
  s.claim(two, 1);
  CHECK(s.step(election_event::node_gone{zero}).empty());
  CHECK(s.step(election_event::node_gone{two}) == "leader=? say-unknown take ");
}

TEST_CASE(
    "who misses most of its map leaves the lock to them, for a while; not for dead ones, and not "
    "of equal halves") {
  CHECK(leaves_lock(1, 2, seconds(3)));
  CHECK(!leaves_lock(1, 2, seconds(11)));
  CHECK(!leaves_lock(1, 0, seconds(1)));
  CHECK(!leaves_lock(2, 2, seconds(1)));
}

TEST_CASE("with a lock votes mean nothing") {
  single s(true);
  s.become_leader();
  CHECK(s.step(election_event::vote_heard{{.node = zero, .priority = {1, 0}}}).empty());
  CHECK(s.e.leads());
}

TEST_CASE("late answers and losses of earlier tries have no effect") {
  single s(true);
  s.fire(leader_silent);
  const auto first = s.try_serial;
  s.lock(contended);
  s.fire(lock_again);
  CHECK(s.step(election_event::lock_answered{first, taken}).empty());
  CHECK(s.lock(taken) == "leader=1 say-self-1 ");
  CHECK(s.step(election_event::lock_lost{first}).empty());
  CHECK(s.e.leads());
}

TEST_CASE(
    "terms: older claims are answered with the latest term; with a lock later ones are believed at "
    "once") {
  for (const bool with_lock : {false, true}) {
    CAPTURE(with_lock);
    single s(with_lock);
    CHECK(s.claim(zero, 5) == "leader=0 ");
    CHECK(s.claim(two, 4) == "deposed-5-to-2 ");
    CHECK(s.e.leader() == zero);
    CHECK(s.claim(two, 6) == (with_lock ? "leader=2 " : ""));
    s.claim(two, 6);
    if (!with_lock) CHECK(s.fire(leader_silent) == "leader=2 ");
    CHECK(s.claim(zero, 5) == "deposed-6-to-0 ");
    s.step(election_event::node_gone{two});
    CHECK(s.claim(zero, 5) == "term-6-to-0 ");  // nobody leads: zero may go on, in a later term
  }
}

TEST_CASE(
    "terms without a lock: a leader of an older term steps down, one that nobody replaced goes "
    "on") {
  single s(false);
  s.fire(leader_silent);
  CHECK(s.fire(vote_end) == "leader=1 say-self-1 ");
  CHECK(s.step(election_event::term_heard{4, false}) == "say-self-5 ");
  CHECK(s.e.leads());
  CHECK(s.step(election_event::term_heard{4, true}).empty());  // older than its own
  CHECK(s.step(election_event::term_heard{8, true}) == "leader=? ");
  CHECK_FALSE(s.e.leads());
}

TEST_CASE("two leaders by vote, of two halves: they vote again, whatever their terms") {
  single s(false);
  s.fire(leader_silent);
  s.fire(vote_end);
  CHECK(s.claim(two, 3) == "leader=? say-unknown vote ");
}

TEST_CASE("without terms, as ctdbd claims, the rule of repeated claims holds") {
  single s(true);
  s.claim(zero);
  CHECK(s.claim(two).empty());
  CHECK(s.claim(two).empty());
  CHECK(s.e.leader() == zero);
  CHECK(s.fire(leader_silent) == "leader=2 ");
}
