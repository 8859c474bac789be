// When a node takes itself for cut off, by what it hears and by what has reached the others.
#include "actors/node/pulse.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "protocol/constants.hpp"

using namespace floe;
using namespace std::chrono_literals;

namespace {

constexpr pnn self{1}, leader{0}, third{2};

/// Node 1 of three floe nodes follows node 0; what they say is written line by line.
struct follower {
  time_point now{10s};
  node_pulse pulse{now};
  node_pulse::silence limits{.others = 2500ms, .among_floe = 2000ms, .with_ctdbd = 15s};

  follower() { follow(); }
  void follow() {
    cluster_view v{.self = self,
                   .nodes = {},
                   .gen = generation{7},
                   .members = {leader, self, third},
                   .leader = leader};
    for (int i = 0; i < 3; ++i) v.nodes.push_back({.floe = true});
    pulse.follow(v, limits, quorum_rule::lock, now);
  }
  /// Both others say something now and then.
  void they_speak_for(duration d) {
    for (const auto end = now + d; now < end; now += 100ms) {
      pulse.heard(leader, now);
      pulse.heard(third, now);
    }
  }
};

}  // namespace

TEST_CASE("a leader that is heard may be one that does not hear") {
  follower f;
  SUBCASE("it does not tell what reaches it, as a program before that, or a ctdbd") {
    f.they_speak_for(10s);
    CHECK(f.pulse.cause() == cut_off_cause::none);
  }
  SUBCASE("it tells that the last thing has reached it two seconds ago") {
    f.pulse.was_heard_by(leader, f.now, f.now);
    f.they_speak_for(1900ms);
    CHECK(f.pulse.cause() == cut_off_cause::none);
    f.they_speak_for(300ms);
    CHECK(f.pulse.cause() == cut_off_cause::leader_silent);
    CHECK(f.pulse.cut_offs() == 1);
  }
  SUBCASE("what it says late says when it was sent, not when it came") {
    const auto sent = f.now;
    f.they_speak_for(1500ms);
    f.pulse.was_heard_by(leader, sent, f.now);
    CHECK(f.pulse.serves_until(f.now) == sent + 2s);
    f.they_speak_for(600ms);
    CHECK(f.pulse.cause() == cut_off_cause::leader_silent);
  }
  SUBCASE("a new connection is one on which both have answered") {
    f.pulse.was_heard_by(leader, f.now, f.now);
    f.they_speak_for(1500ms);
    f.pulse.met(leader, f.now);
    f.they_speak_for(1s);
    CHECK(f.pulse.cause() == cut_off_cause::none);
  }
}

TEST_CASE("nobody goes on for longer than the others wait for him") {
  follower f;
  f.limits = {.others = 20s, .among_floe = 19'500ms, .with_ctdbd = 30s};
  f.follow();
  f.they_speak_for(1s);
  CHECK(f.pulse.serves_until(f.now) == f.now - 100ms + 19'500ms);
  f.pulse.waits_for(third, 2500ms);
  CHECK(f.pulse.serves_until(f.now) == f.now - 100ms + 2s);
  f.pulse.waits_for(third, 20s);
  CHECK(f.pulse.serves_until(f.now) == f.now - 100ms + 19'500ms);
}

TEST_CASE("others are waited for as long as they may not know of a shorter limit") {
  follower f;
  f.limits.others = 10s;
  f.limits.among_floe = 9500ms;
  f.follow();
  const auto limit_of_third = [&] { return f.pulse.members(f.now)[number(third)].limit; };
  CHECK(limit_of_third() == 9500ms);
  f.limits.others = 2500ms;
  f.limits.among_floe = 2s;
  f.follow();
  CHECK(limit_of_third() == 9500ms);
  f.they_speak_for(10s);
  CHECK(limit_of_third() == 2s);
  f.pulse.waits_for(leader, 5s);
  CHECK(limit_of_third() == 4500ms);  // it may rely on what another one has said
}

TEST_CASE("a node that hung looks at that before it hears what was said meanwhile") {
  follower f;
  f.limits = {.others = 500ms, .among_floe = 400ms, .with_ctdbd = 15s};
  f.follow();
  f.they_speak_for(1s);
  CHECK(f.pulse.cut_offs() == 0);
  f.now += 600ms;
  f.pulse.heard(leader, f.now);
  CHECK(f.pulse.cut_offs() > 0);
}
