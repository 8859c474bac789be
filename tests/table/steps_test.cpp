/// The simulation of steps: sound code holds every promise under every seed; each mutant breaks one within the seeds
/// that protocol/mutants.def names.
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

#include "mutant_switch.hpp"
#include "step_world.hpp"

using namespace floe;

namespace {

constexpr std::uint64_t steps = 20'000;

std::optional<step_verdict> first_broken(mutant m, std::uint64_t seeds) {
  switched_on = m;
  std::optional<step_verdict> found;
  for (std::uint64_t seed = 1; seed <= seeds && !found; ++seed)
    if (auto v = play_steps(seed, steps); !v.broken.empty()) found = v;
  switched_on.reset();
  return found;
}

}  // namespace

TEST_CASE("every promise holds under every seed") {
  const char* wanted = std::getenv("FLOE_TABLE_SEEDS");
  const std::uint64_t seeds = wanted ? std::strtoull(wanted, nullptr, 10) : 200;
  step_verdict all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto v = play_steps(seed, steps);
    CHECK_MESSAGE(v.broken.empty(), "seed " << seed << ": " << v.broken);
    all.locks += v.locks, all.stores += v.stores, all.reads += v.reads, all.recalls += v.recalls;
    all.freezes += v.freezes, all.deaths += v.deaths, all.kicks += v.kicks;
    all.longest_wait_us = std::max(all.longest_wait_us, v.longest_wait_us);
  }
  MESSAGE(seeds << " seeds: locks=" << all.locks << " stores=" << all.stores
                << " reads=" << all.reads << " recalls=" << all.recalls
                << " freezes=" << all.freezes << " deaths=" << all.deaths << " kicks=" << all.kicks
                << " longest_wait_us=" << all.longest_wait_us);
  // a simulation in which nothing happens proves nothing
  CHECK(all.locks > seeds * 10);
  CHECK(all.stores > seeds * 10);
  CHECK(all.recalls > seeds);
  CHECK(all.freezes > seeds);
  CHECK(all.deaths > seeds);
  CHECK(all.kicks > seeds);
}

TEST_CASE("the same seed plays the same run") {
  CHECK(play_steps(7, steps).digest == play_steps(7, steps).digest);
  CHECK(play_steps(7, steps).digest != play_steps(8, steps).digest);
}

TEST_CASE("each mutant is found") {
#define MUTANT(name, bug, wrong, drill, seeds)                                      \
  if (std::string_view(drill) == "table-steps") {                                   \
    const auto v = first_broken(mutant::name, seeds);                               \
    CHECK_MESSAGE(v.has_value(), #name " is not found with " << seeds << " seeds"); \
    if (v) MESSAGE(#name ": " << v->broken);                                        \
  }
#include "protocol/mutants.def"
#undef MUTANT
}
