#include "protocol/rules/election.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace floe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr pnn me{1}, older{0}, other{2};

standing able(std::uint64_t since = 100) {
  return {.can_lead = true, .priority = {since, 0}, .connected = 3};
}

/// One node, its armed timers, and a line of what it did in the last step.
struct single {
  election e{me, {}};
  std::array<std::optional<election_effect::arm>, 5> timers;
  std::string did;

  explicit single(const standing& s = able()) {
    step(election_event::standing_changed{s});
    step(election_event::start{});
  }
  std::string step(const election_input& in) {
    did.clear();
    for (const auto& o : e.step(in)) {
      if (auto* a = std::get_if<election_effect::arm>(&o))
        timers[static_cast<std::size_t>(a->timer)] = *a;
      if (auto* l = std::get_if<election_effect::send_leader>(&o))
        did += l->leader == pnn::unknown ? "say-unknown " : "say-self ";
      if (auto* v = std::get_if<election_effect::send_vote>(&o))
        did += v->cast.inactive ? "vote-inactive " : "vote ";
      if (auto* c = std::get_if<election_effect::leader_changed>(&o))
        did += "leader=" + (c->to == pnn::unknown ? "?" : std::to_string(number(c->to))) + " ";
    }
    return did;
  }
  std::string fire(election_timer t) {
    const auto a = timers[static_cast<std::size_t>(t)];
    REQUIRE(a);
    return step(election_event::fired{t, a->serial});
  }
  std::string hear(pnn from) { return step(election_event::leader_heard{from, from, {}}); }
  std::string hear_vote(pnn from, std::uint64_t since, bool inactive = false) {
    return step(
        election_event::vote_heard{{.node = from, .inactive = inactive, .priority = {since, 0}}});
  }
  void become_leader() {
    fire(election_timer::leader_silent);
    fire(election_timer::vote_end);
    REQUIRE(e.leads());
  }
};

using enum election_timer;

}  // namespace

TEST_CASE("who wins a vote") {
  struct row {
    const char* what;
    standing own;
    vote other;
    bool wins;
  };
  const pnn low{0}, high{2};
  auto cannot = able(1);
  cannot.can_lead = false;
  for (const auto& r : std::vector<row>{
           {"older", able(100), {.node = high, .priority = {101, 0}}, true},
           {"younger", able(100), {.node = low, .priority = {99, 0}}, false},
           {"older by a microsecond", able(100), {.node = high, .priority = {100, 1}}, true},
           {"as old, higher pnn", able(100), {.node = low, .priority = {100, 0}}, true},
           {"as old, lower pnn", able(100), {.node = high, .priority = {100, 0}}, false},
           {"against an inactive elder",
            able(100),
            {.node = low, .inactive = true, .priority = {1, 0}},
            true},
           {"cannot lead, though older", cannot, {.node = low, .priority = {100, 0}}, false},
           {"cannot lead, against an inactive one", cannot, {.node = low, .inactive = true}, false},
           {"the number of connected nodes decides nothing",
            able(100),
            {.node = low, .priority = {101, 0}, .connected = 99},
            true},
       }) {
    CAPTURE(r.what);
    CHECK(wins_against(me, r.own, r.other) == r.wins);
  }
}

TEST_CASE("who can lead") {
  CHECK(can_be_leader(false, true));
  CHECK_FALSE(can_be_leader(true, true));
  CHECK_FALSE(can_be_leader(false, false));
}

TEST_CASE("a lonely node calls an election and leads at its end") {
  single s;
  CHECK(s.timers[static_cast<std::size_t>(leader_silent)]->after == seconds(5));
  CHECK(s.e.leader() == pnn::unknown);
  CHECK(s.fire(leader_silent) == "say-unknown vote ");
  CHECK(s.e.state() == election_state::electing);
  CHECK(s.timers[static_cast<std::size_t>(vote_end)]->after == seconds(3));
  CHECK(s.fire(broadcast).empty());
  CHECK(s.fire(vote_end) == "leader=1 say-self ");
  CHECK(s.e.leads());
  CHECK(s.fire(broadcast) == "say-self ");
  CHECK(s.fire(leader_silent).empty());  // it need not hear itself
  CHECK(s.e.leads());
}

TEST_CASE("a leader that is heard is followed, and no election is called") {
  single s;
  CHECK(s.hear(older) == "leader=0 ");
  CHECK(s.hear(older).empty());
  CHECK_FALSE(s.e.leads());
  CHECK(s.fire(broadcast).empty());
  CHECK(s.fire(leader_silent) == "leader=? say-unknown vote ");
}

TEST_CASE("votes: answered after a delay by who wins, followed by who loses") {
  single s;
  s.fire(leader_silent);
  CHECK(s.hear_vote(other, 200).empty());
  CHECK(s.timers[static_cast<std::size_t>(answer)]->after == milliseconds(500));
  const auto armed = s.timers[static_cast<std::size_t>(answer)]->serial;
  s.hear_vote(other, 300);
  CHECK(s.timers[static_cast<std::size_t>(answer)]->serial == armed);  // one at a time
  CHECK(s.fire(answer) == "vote ");

  s.hear_vote(other, 200);
  s.hear_vote(older, 50);
  CHECK(s.fire(answer).empty());  // cancelled by the loss
  CHECK(s.fire(vote_end) == "leader=0 ");
  CHECK(s.e.leader() == older);
  CHECK_FALSE(s.e.leads());
}

TEST_CASE("each vote puts off the end of the election") {
  single s;
  s.fire(leader_silent);
  const auto first = *s.timers[static_cast<std::size_t>(vote_end)];
  s.hear_vote(older, 50);
  CHECK(s.step(election_event::fired{vote_end, first.serial}).empty());
  CHECK(s.e.state() == election_state::electing);
  CHECK(s.fire(vote_end) == "leader=0 ");
}

TEST_CASE("the winner is heard leading before this node's own election ends: it is over") {
  single s;
  s.fire(leader_silent);
  s.hear_vote(older, 50);
  CHECK(s.hear(older) == "leader=0 ");
  CHECK(s.e.state() == election_state::settled);
  CHECK(s.fire(vote_end).empty());
}

TEST_CASE("a sitting leader keeps its office against a younger vote and loses it to an older one") {
  single s;
  s.become_leader();
  CHECK(s.hear_vote(other, 200).empty());
  CHECK(s.e.leader() == me);
  CHECK_FALSE(s.e.leads());  // challenged: starts nothing new
  CHECK(s.fire(answer) == "vote ");
  CHECK(s.fire(vote_end) == "say-self ");
  CHECK(s.e.leads());

  CHECK(s.hear_vote(older, 50) == "leader=? ");
  CHECK(s.fire(vote_end) == "leader=0 ");
}

TEST_CASE("an election that is announced but never held: nobody waits for ever") {
  single follower;
  follower.hear(older);
  follower.step(election_event::leader_heard{other, pnn::unknown, {}});
  CHECK(follower.e.state() == election_state::electing);
  CHECK(follower.fire(leader_silent).empty());  // no second election on top
  CHECK(follower.fire(vote_end).empty());
  CHECK(follower.e.state() == election_state::settled);
  CHECK(follower.e.leader() == older);

  single leader;
  leader.become_leader();
  leader.step(election_event::leader_heard{other, pnn::unknown, {}});
  CHECK(leader.fire(broadcast).empty());
  leader.fire(vote_end);
  CHECK(leader.e.leads());

  single nobody;
  nobody.step(election_event::leader_heard{other, pnn::unknown, {}});
  CHECK(nobody.fire(vote_end) == "say-unknown vote ");
}

TEST_CASE("a leader that still leads ends an announced election nobody voted in") {
  single s;
  s.hear(older);
  s.step(election_event::leader_heard{other, pnn::unknown, {}});
  CHECK(s.hear(older).empty());
  CHECK(s.e.state() == election_state::settled);
}

TEST_CASE("the loss of the leader's connection calls the election at once") {
  single s;
  s.hear(older);
  CHECK(s.step(election_event::node_gone{other}).empty());
  CHECK(s.step(election_event::node_gone{older}) == "leader=? say-unknown vote ");

  single voter;  // the winner dies before it leads
  voter.fire(leader_silent);
  voter.hear_vote(older, 50);
  CHECK(voter.step(election_event::node_gone{older}) == "say-unknown vote ");
  CHECK(voter.fire(vote_end) == "leader=1 say-self ");
}

TEST_CASE("a stale claim of a former leader is not believed") {
  single follower;
  follower.hear(older);
  CHECK(follower.hear(other).empty());
  CHECK(follower.e.leader() == older);
  CHECK(follower.hear(older).empty());
  CHECK(follower.hear(other).empty());  // never twice in a row without the leader
  CHECK(follower.fire(leader_silent) == "leader=? say-unknown vote ");

  single leader;
  leader.become_leader();
  CHECK(leader.hear(other).empty());
  CHECK(leader.e.leads());

  single voter;  // a late broadcast in the middle of an election
  voter.fire(leader_silent);
  CHECK(voter.hear(other).empty());
  CHECK(voter.fire(vote_end) == "leader=1 say-self ");
}

TEST_CASE("a rival that insists is followed when the known leader is silent; two leaders vote") {
  single follower;
  follower.hear(older);
  follower.hear(other);
  follower.hear(other);
  CHECK(follower.e.leader() == older);
  CHECK(follower.fire(leader_silent) == "leader=2 ");

  single leader;
  leader.become_leader();
  leader.hear(other);
  CHECK(leader.hear(other) == "leader=? say-unknown vote ");
}

TEST_CASE(
    "two leaders by vote: a claim of a term that is not older settles it at once, an older one not "
    "at all") {
  single n;
  n.become_leader();
  REQUIRE(n.e.term() == 1);
  CHECK(n.step(election_event::leader_heard{other, other, 1}) == "leader=? say-unknown vote ");
  single m;
  m.become_leader();
  CHECK(m.step(election_event::leader_heard{other, other, 0}) ==
        "");  // answered with the later term
  CHECK(m.e.leads());
}

TEST_CASE("a claim made for somebody else is not believed") {
  single s;
  CHECK(s.step(election_event::leader_heard{other, older, {}}).empty());
  CHECK(s.step(election_event::leader_heard{me, me, {}}).empty());
  CHECK(s.e.leader() == pnn::unknown);
}

TEST_CASE("a node that cannot lead calls no election and never wins, but follows") {
  single s(standing{.can_lead = false, .inactive = false, .priority = {1, 0}, .connected = 3});
  CHECK(s.fire(leader_silent).empty());
  s.hear_vote(other, 200);
  CHECK(s.fire(vote_end) == "leader=2 ");
  CHECK(s.step(election_event::node_gone{other}) == "leader=? ");
}

TEST_CASE("a leader that may not lead any more steps down and calls the election itself") {
  single s;
  s.become_leader();
  CHECK(s.step(election_event::standing_changed{{.inactive = true, .priority = {999, 0}}}) ==
        "leader=? say-unknown vote-inactive ");
  CHECK_FALSE(s.e.leads());
  CHECK(s.fire(vote_end).empty());
  CHECK(s.e.leader() == pnn::unknown);

  single candidate;
  candidate.fire(leader_silent);
  candidate.hear_vote(other, 200);
  candidate.step(election_event::standing_changed{{.inactive = true}});
  CHECK(candidate.fire(answer).empty());
  CHECK(candidate.fire(vote_end).empty());
  CHECK(candidate.e.leader() == pnn::unknown);
}

TEST_CASE("timers that fire late have no effect") {
  single s;
  const auto old = *s.timers[static_cast<std::size_t>(leader_silent)];
  s.hear(older);
  CHECK(s.step(election_event::fired{leader_silent, old.serial}).empty());
  CHECK(s.step(election_event::fired{vote_end, 0}).empty());
  CHECK(s.e.leader() == older);
}
