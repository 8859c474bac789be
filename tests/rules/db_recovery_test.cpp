// What a rule script cannot say of the recovery of a database: that it holds for any order of answers. The stories are
// in db-recovery-*.txt.
#include "protocol/rules/db_recovery.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "protocol/constants.hpp"

#if !defined(__clang__)
// g++ 12 sees uninitialised members in a moved std::variant where there are none
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

using namespace floe;
using std::chrono::seconds;

namespace {

constexpr pnn n0{0}, n1{1}, n2{2};
const db_id db{0x7a19d84d};

db_plan plan(std::uint8_t flags = 0) {
  return {.db = db,
          .gen = generation{77},
          .participants = {{n2}, {n0}, {n1}},
          .copies = {{n0, flags}, {n1, flags}, {n2, flags}},
          .step_timeout = seconds(10),
          .budget = seconds(60)};
}

}  // namespace

TEST_CASE(
    "random answers, doubled, lost and late: it ends once, and is done only if the last try was "
    "clean") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 chance(seed);
    db_recovery m;
    time_point now{};
    std::vector<db_input> air;  // what may arrive, in any order
    int ends = 0;
    bool good = false;
    std::map<std::pair<run_number, db_phase>, std::size_t> done;  // clean answers per phase
    auto take = [&](const std::vector<db_output>& out) {
      for (const auto& o : out) {
        if (auto* a = std::get_if<db_effect::ask>(&o))
          for (pnn n : a->nodes) {
            db_event::answered r{.run = a->run, .phase = a->phase, .node = n, .text = "x"};
            if (a->phase == db_phase::push_confirm) r.number = 4;
            if (a->phase == db_phase::seqnum) r.number = chance() % 5;
            if (chance() % 60 == 0)
              air.push_back(db_event::failed{a->run, a->phase, n, failure_cause::timed_out, ""});
            else
              air.push_back(r);
            if (chance() % 10 == 0) air.push_back(air.back());
          }
        if (auto* g = std::get_if<db_effect::merge>(&o)) air.push_back(db_event::merged{g->run, 4});
        if (auto* p = std::get_if<db_effect::push>(&o)) air.push_back(db_event::pushed{p->run});
        if (auto* e = std::get_if<db_effect::ended>(&o)) ++ends, good = e->good;
      }
    };
    take(m.step(db_event::start{plan(seed % 2 ? db_flag::persistent : std::uint8_t{0})}, now));
    std::vector<db_input> old;
    while (m.running()) {
      REQUIRE_FALSE(air.empty());
      const auto i = static_cast<std::ptrdiff_t>(chance() % air.size());
      const db_input e = air[static_cast<std::size_t>(i)];
      air.erase(air.begin() + i);
      old.push_back(e);
      if (auto* r = std::get_if<db_event::answered>(&e);
          r && r->run == m.run() && r->phase == m.phase())
        ++done[{r->run, r->phase}];
      now += std::chrono::milliseconds(1);
      take(m.step(e, now));
      if (chance() % 5 == 0) take(m.step(old[chance() % old.size()], now));
    }
    CHECK(ends == 1);
    CHECK(good == (m.phase() == db_phase::done));
    if (good) {
      for (const auto& f : m.failures()) CHECK(f.cause == failure_cause::timed_out);
      for (auto p :
           {db_phase::names, db_phase::freeze, db_phase::wipe, db_phase::commit, db_phase::thaw})
        CHECK(done[{m.run(), p}] >= 3);
    } else {
      CHECK(m.attempt() == 3);
    }
  }
}
