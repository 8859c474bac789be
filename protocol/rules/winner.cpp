#include "protocol/rules/winner.hpp"

#include "protocol/mutant.hpp"

namespace floe {

bool counts(db_kind kind, const record_claim& copy) {
  return kind != db_kind::volatile_db || copy.took_part;
}

bool beats(const record_claim& a, const record_claim& b, pnn leader) {
  if (a.took_part != b.took_part) return a.took_part;
  if (a.header.rsn != b.header.rsn) return a.header.rsn > b.header.rsn;
  const bool a_owns = a.header.dmaster == a.holder, b_owns = b.header.dmaster == b.holder;
  if (a_owns != b_owns) return a_owns;
  const bool a_moved = a.header.dmaster != leader, b_moved = b.header.dmaster != leader;
  if (a_moved != b_moved) return a_moved;
  return a_moved ? a.holder < b.holder : a.holder > b.holder;
}

std::optional<record_header> recovered_header(db_kind kind, const record_header& winner,
                                              bool has_data, pnn leader) {
  if (!has_data) return std::nullopt;
  record_header h = winner;
  if (kind != db_kind::persistent) {
    h.dmaster = leader;
    h.flags |= record_flag::migrated_with_data;
  }
  return h;
}

bool beats(const changed_claim& a, const changed_claim& b) {
  if (a.header.rsn != b.header.rsn) return a.header.rsn > b.header.rsn;
  const bool a_owns = a.header.dmaster == a.holder, b_owns = b.header.dmaster == b.holder;
  if (a_owns != b_owns) return a_owns;
  if (a.changed != b.changed) return a.changed;
  return a.holder < b.holder;
}

/// Of equal rsn the owner's copy wins; if the other holder is its owner as well, that which was changed.
bool beats_what_was(const record_header& now, std::uint32_t data_sum, pnn holder,
                    const record_mark& before) {
  if (now.rsn != before.rsn) return now.rsn > before.rsn;
  return now.dmaster == holder && data_sum != before.data_sum;
}

std::optional<record_header> kept_header(const record_header& winner, bool has_data,
                                         bool all_here) {
  if (!has_data && (all_here || mutated(mutant::empty_record_of_lost_dropped))) return std::nullopt;
  record_header h = winner;
  h.flags &= ~record_flag::ro_all;
  h.flags |= record_flag::migrated_with_data;
  return h;
}

}  // namespace floe
