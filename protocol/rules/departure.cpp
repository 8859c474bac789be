#include "protocol/rules/departure.hpp"

#include <algorithm>
#include <utility>

namespace floe {

departure_step step(departure now, departure_event e) {
  using enum departure;
  using ev = departure_event;
  if (now == left) return {left};
  switch (e) {
    case ev::leave:
      if (now == stays || now == waits) return {.next = asked, .ask = true};
      break;
    case ev::others_come:
      if (now == stays || now == asked) return {waits};
      break;
    case ev::alone: return {left};
    case ev::map_with:
      if (now == without) return {asked};
      break;
    case ev::map_without:
      if (now == asked) return {without};
      break;
    case ev::recovered:
      if (now == asked) return {.next = asked, .ask = true};
      if (now == without) return {.next = left, .handed_over = true};
      break;
    case ev::patience_ended:
    case ev::inactive:
      if (now != stays) return {left};
      break;
  }
  return {now};
}

duration patience_of(departure d, duration recover_timeout) {
  using namespace std::chrono_literals;
  // whatever recoveries may take: who leaves waits a second himself for those who hold his locks
  constexpr duration least = 4s;
  const bool for_a_recovery = d == departure::without || d == departure::waits;
  return for_a_recovery ? std::max(recover_timeout / 2, least) : least;
}

duration patience_without_store(bool others_can_do_without) {
  using namespace std::chrono_literals;
  return others_can_do_without ? duration::max() : duration(5s);
}

std::string_view name(departure d) {
  switch (d) {
    case departure::stays: return "stays";
    case departure::waits: return "waits";
    case departure::asked: return "asked";
    case departure::without: return "without";
    case departure::left: return "left";
  }
  std::unreachable();
}

std::string_view name(departure_event e) {
  switch (e) {
    case departure_event::leave: return "leave";
    case departure_event::others_come: return "others_come";
    case departure_event::alone: return "alone";
    case departure_event::map_with: return "map_with";
    case departure_event::map_without: return "map_without";
    case departure_event::recovered: return "recovered";
    case departure_event::patience_ended: return "patience_ended";
    case departure_event::inactive: return "inactive";
  }
  std::unreachable();
}

}  // namespace floe
