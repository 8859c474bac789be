#include "protocol/rules/vacuum.hpp"

namespace floe {

try_delete_outcome decide_try_delete(pnn self, pnn lmaster,
                                     const std::optional<record_header>& local,
                                     const record_header& offered, bool in_use) {
  using enum try_delete_outcome;
  // the lmaster tracks the record: it drops its copy last, and only by itself
  if (lmaster == self || in_use) return keep;
  if (!local) return gone;
  if (local->dmaster == self) return keep;
  if (local->rsn > offered.rsn) return keep;
  if ((local->flags | offered.flags) & record_flag::ro_all) return keep;
  return drop;
}

}  // namespace floe
