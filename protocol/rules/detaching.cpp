#include "protocol/rules/detaching.hpp"

#include <utility>

#include "protocol/mutant.hpp"

namespace floe {

namespace {

detach_step after_the_last() {
  return mutated(mutant::detached_generation_goes_on) ? detach_step::release : detach_step::renew;
}

}  // namespace

detach_step step(detach_step now, detach_event e) {
  using enum detach_step;
  const bool agreed = e == detach_event::agreed;
  switch (now) {
    case ask:
      if (!agreed) return failed;
      if (mutated(mutant::detached_one_by_one)) return drop;
      return mutated(mutant::closed_while_recovered) ? close : settle;
    case settle:
      if (agreed) return close;
      return e == detach_event::busy ? settle : failed;
    case close:
      if (agreed) return drop;
      return e == detach_event::busy ? close : reopen;
    case drop:
    case drop_here:
      if (agreed) return now == drop ? drop_here : after_the_last();
      // who keeps it now was given it by a recovery, or is in one; there is no way back
      if (e == detach_event::late) return failed;
      return mutated(mutant::detached_one_by_one) ? drop : close;
    case renew: return release;
    case release: return done;
    case reopen: return failed;
    case done:
    case failed: return now;
  }
  std::unreachable();
}

std::string_view name(detach_step s) {
  switch (s) {
    case detach_step::ask: return "ask";
    case detach_step::settle: return "settle";
    case detach_step::close: return "close";
    case detach_step::drop: return "drop";
    case detach_step::drop_here: return "drop_here";
    case detach_step::renew: return "renew";
    case detach_step::release: return "release";
    case detach_step::reopen: return "reopen";
    case detach_step::done: return "done";
    case detach_step::failed: return "failed";
  }
  std::unreachable();
}

std::string_view name(detach_event e) {
  switch (e) {
    case detach_event::agreed: return "agreed";
    case detach_event::busy: return "busy";
    case detach_event::refused: return "refused";
    case detach_event::late: return "late";
  }
  std::unreachable();
}

}  // namespace floe
