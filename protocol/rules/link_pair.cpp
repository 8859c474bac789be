#include "protocol/rules/link_pair.hpp"

#include <utility>

namespace floe {
namespace {

using phase = pair_status::phase;

/// Everything is closed, and opened again later.
pair_step close_all(const pair_status& now) {
  return {.next = {},
          .close_out = now.out != out_state::none,
          .close_in = now.in,
          .open_later = true,
          .down = now.now == phase::connected};
}

/// Apart, or greeting if there are both.
pair_step settle(pair_step s) {
  const bool both = s.next.out == out_state::up && s.next.in;
  s.next.now = both ? phase::greeting : phase::apart;
  s.greet = both;
  return s;
}

}  // namespace

pair_step step(const pair_status& now, pair_event e) {
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
      if (connected) return close_all(now);
      s.close_out = true;
      s.next.out = out_state::none;
      s.open_later = true;
      return settle(s);
    case pair_event::accepted:
      if (connected) {
        s = close_all(now);
        s.next.in = s.take_in = true;
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
    case pair_event::greeted:
      if (now.now != phase::greeting) return s;
      s.next.now = phase::connected;
      s.up = true;
      return s;
    case pair_event::refused:
      if (now.now == phase::apart) return s;
      s = close_all(now);
      s.long_pause = true;
      return s;
    case pair_event::broken: return close_all(now);
  }
  std::unreachable();
}

}  // namespace floe
