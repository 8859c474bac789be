#include "protocol/rules/own_freeze.hpp"

#include <utility>

#include "protocol/mutant.hpp"

namespace floe {

own_freeze step(own_freeze now, own_freeze_event e) {
  switch (e) {
    // what is void stays so: a client may still hold a lock in the memory that it shares with the node, and whoever counts the
    // node afterwards does not know that others may have given the record to somebody else
    case own_freeze_event::cut_off: return now == own_freeze::voided ? now : own_freeze::muted;
    case own_freeze_event::counted: return now == own_freeze::muted ? own_freeze::counted : now;
    case own_freeze_event::left_out: return own_freeze::voided;
    case own_freeze_event::committed: return own_freeze::none;
  }
  std::unreachable();
}

bool may_thaw(generation of, generation content, generation map, bool in_transaction) {
  return mutated(mutant::thaw_of_any_leader) || (of == content && of == map && !in_transaction);
}

std::string_view name(own_freeze s) {
  switch (s) {
    case own_freeze::none: return "none";
    case own_freeze::muted: return "muted";
    case own_freeze::counted: return "counted";
    case own_freeze::voided: return "voided";
  }
  std::unreachable();
}

}  // namespace floe
