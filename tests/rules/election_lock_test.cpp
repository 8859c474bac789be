/// Who leaves the cluster lock to others, and the pauses between tries for it; the machine: election-lock*.txt, election-terms.txt.
#include <doctest/doctest.h>

#include <algorithm>
#include <variant>
#include <vector>

#include "protocol/rules/election.hpp"

using namespace floe;
using std::chrono::seconds;

TEST_CASE(
    "who misses most of its map leaves the lock to them, for a while; not for dead ones, and not "
    "of equal halves") {
  CHECK(is_outnumbered(1, 2));
  CHECK(!is_outnumbered(1, 0));
  CHECK(!is_outnumbered(2, 2));
  CHECK(leaves_lock(seconds(3)));
  CHECK(!leaves_lock(seconds(11)));
}

namespace {

/// Between the first tries of a node that finds the lock held each time.
std::vector<duration> pauses(bool outnumbered) {
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
  step(election_event::standing_changed{
      {.can_lead = true, .priority = {100, 0}, .outnumbered = outnumbered}});
  step(election_event::start{});
  step(election_event::leader_heard{pnn{0}, pnn::unknown, {}});
  std::vector<duration> all;
  for (int i = 0; i < 10; ++i) {
    step(election_event::lock_answered{lock_try, lock_outcome::contended});
    all.push_back(again.after);
    step(election_event::fired{again.timer, again.serial});
  }
  return all;
}

}  // namespace

TEST_CASE(
    "the pauses between tries for a contended lock grow: so far that those who are more ask twice "
    "before one that is outnumbered looks again, and to ten seconds at most") {
  const auto of_most = pauses(false), of_few = pauses(true);
  CHECK(std::ranges::is_sorted(of_most));
  CHECK(std::ranges::is_sorted(of_few));
  CHECK(2 * of_most.back() <= election_delays{}.leader_timeout);
  CHECK(of_few.back() > seconds(5));
  CHECK(of_few.back() <= seconds(10));
}
