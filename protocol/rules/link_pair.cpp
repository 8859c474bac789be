#include "protocol/rules/link_pair.hpp"

#include <cassert>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

using phase = pair_status::phase;

/// Bugs that asking again covers are looked for without it, as they were found.
bool asks_again() {
  return !mutated(mutant::lost_connection_is_lost_node) && !mutated(mutant::hung_leader_goes_on) &&
         !mutated(mutant::generation_not_checked) && !mutated(mutant::quicker_part_counts);
}

/// Everything is closed, and opened again: at once if it was connected to somebody who can be
/// recognised, else later. What was put aside is the in now.
pair_step close_all(const pair_status& now) {
  const bool connected = now.now == phase::connected;
  const bool doubts = connected && now.recognisable && asks_again();
  pair_step s{.next = {.in = now.aside, .recognisable = doubts, .doubt = doubts},
              .close_out = now.out != out_state::none,
              .close_in = now.in,
              .open_later = !doubts,
              .take_aside = now.aside,
              .doubts = doubts,
              .down = (connected && !doubts) || now.doubt};
  if (doubts) {
    s.next.out = out_state::opening;
    s.open = true;
  }
  return s;
}

/// Apart, or greeting if there are both.
pair_step settle(pair_step s) {
  const bool both = s.next.out == out_state::up && s.next.in;
  s.next.now = both ? phase::greeting : phase::apart;
  s.greet = both;
  return s;
}

pair_step end_doubt(pair_step s) {
  s.down |= s.next.doubt;
  s.next.doubt = s.next.recognisable = false;
  return s;
}

pair_step lose_out(const pair_status& now) {
  pair_step s{.next = now};
  s.close_out = true;
  s.next.out = out_state::none;
  s.open_later = true;
  return settle(s);
}

pair_step greeted(const pair_status& now, bool recognisable, bool same) {
  pair_step s{.next = now};
  if (now.now != phase::greeting) return s;
  s.next.now = phase::connected;
  if (now.doubt && same) {
    s.next.doubt = false;
    s.relinked = true;
    return s;
  }
  s = end_doubt(s);
  s.next.recognisable = recognisable;
  s.up = true;
  return s;
}

}  // namespace

pair_step step(const pair_status& now, pair_event e) {
  assert((now.now == phase::connected || !now.aside) && "a stream is put aside without another");
  assert((now.now != phase::connected || !now.doubt) && "connected, and in doubt");
  pair_step s{.next = now};
  const bool connected = now.now == phase::connected;
  switch (e) {
    case pair_event::open:
      if (now.out != out_state::none) return s;
      s.next.out = out_state::opening;
      s.open = true;
      return s;
    case pair_event::out_up:
      if (now.out != out_state::opening) return s;
      s.next.out = out_state::up;
      return settle(s);
    case pair_event::out_lost:
      if (now.out == out_state::none) return s;
      return connected ? close_all(now) : lose_out(now);
    case pair_event::out_refused:
      if (now.out == out_state::none || connected) return s;
      return end_doubt(lose_out(now));
    case pair_event::accepted:
      if (connected) {
        s.close_aside = now.aside;
        s.put_aside = s.next.aside = true;
        return s;
      }
      s.close_in = now.in;
      s.take_in = s.next.in = true;
      return settle(s);
    case pair_event::in_lost:
      if (!now.in) return s;
      if (connected) return close_all(now);
      s.close_in = true;
      s.next.in = false;
      return settle(s);
    case pair_event::aside_lost:
    case pair_event::lives:
      s.close_aside = now.aside;
      s.next.aside = false;
      return s;
    case pair_event::greeted: return greeted(now, true, false);
    case pair_event::greeted_ctdbd: return greeted(now, false, false);
    case pair_event::greeted_again: return greeted(now, true, true);
    case pair_event::refused:
      if (now.now == phase::apart) return s;
      s = close_all(now);
      s.long_pause = true;
      return s;
    case pair_event::broken: return close_all(now);
    case pair_event::violated: {
      auto stranger = now;
      stranger.recognisable = false;
      return close_all(stranger);
    }
    case pair_event::doubt_over: return end_doubt(s);
  }
  std::unreachable();
}

}  // namespace floe
