/// Who leaves the cluster lock to others, and the pauses between tries for it; the machine: election-lock*.txt, election-terms.txt.
#include <doctest/doctest.h>

#include <variant>

#include "protocol/rules/election.hpp"

using namespace floe;
using std::chrono::seconds;

TEST_CASE(
    "who misses most of its map leaves the lock to them, for a while; not for dead ones, and not "
    "of equal halves") {
  CHECK(leaves_lock(1, 2, seconds(3)));
  CHECK(!leaves_lock(1, 2, seconds(11)));
  CHECK(!leaves_lock(1, 0, seconds(1)));
  CHECK(!leaves_lock(2, 2, seconds(1)));
}

TEST_CASE("the pauses between tries for a contended lock grow to ten seconds at most") {
  election e(pnn{1}, {}, true);
  std::uint64_t lock_try = 0;
  election_effect::arm again{};
  const auto step = [&](const election_input& in) {
    for (const auto& o : e.step(in)) {
      if (const auto* l = std::get_if<election_effect::take_lock>(&o)) lock_try = l->serial;
      const auto* a = std::get_if<election_effect::arm>(&o);
      if (a && a->timer == election_timer::lock_again) again = *a;
    }
  };
  step(election_event::standing_changed{{.can_lead = true, .priority = {100, 0}}});
  step(election_event::start{});
  step(election_event::leader_heard{pnn{0}, pnn::unknown, {}});
  for (int i = 0; i < 10; ++i) {
    const auto before = again.after;
    step(election_event::lock_answered{lock_try, lock_outcome::contended});
    CHECK(again.after >= before);
    CHECK(again.after <= seconds(10));
    step(election_event::fired{again.timer, again.serial});
  }
  CHECK(again.after > seconds(5));
}
