#include "protocol/rules/migration.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/read_only.hpp"

namespace floe {
namespace {

bool keeps(store_rule r) {
  return r != store_rule::vacuumed_at_lmaster && r != store_rule::no_trace;
}

}  // namespace

store_rule which_store_rule(db_kind kind, pnn self, pnn lmaster, const record_header& h,
                            bool has_data) {
  if (kind != db_kind::volatile_db) return store_rule::as_given;
  if (has_data) return store_rule::has_data;
  if (h.flags & record_flag::ro_all) return store_rule::read_only_flag;
  if (h.flags & record_flag::automatic) return store_rule::automatic;
  if (h.flags & record_flag::migrated_with_data) return store_rule::migrated_with_data;
  if (lmaster == self) {
    const bool came_home = (h.flags & record_flag::vacuum_migrated) && h.dmaster == self;
    return came_home ? store_rule::vacuumed_at_lmaster : store_rule::at_lmaster;
  }
  return h.dmaster == self ? store_rule::at_dmaster : store_rule::no_trace;
}

store_decision decide_store(db_kind kind, pnn self, pnn lmaster, const record_header& header,
                            bool has_data) {
  const store_rule rule = which_store_rule(kind, self, lmaster, header, has_data);
  store_decision d{.keep = keeps(rule), .header = header};
  if (rule == store_rule::as_given) return d;
  if (d.keep && header.dmaster == self && !(header.flags & record_flag::ro_all))
    d.header.rsn = next(header.rsn);
  d.header.flags &= ~transient_flags;
  return d;
}

record_header missing_record_header(pnn lmaster) {
  return {.rsn = rsn{0}, .dmaster = lmaster, .flags = record_flag::automatic};
}

record_header written_header(record_header h) {
  h.rsn = next(h.rsn);
  h.flags = written_flags(h.flags);
  return h;
}

missing_record decide_missing(db_kind kind, pnn self, pnn lmaster) {
  const record_header invented = missing_record_header(lmaster);
  if (kind != db_kind::persistent && lmaster != self) return {.header = invented};
  store_decision d = decide_store(kind, self, lmaster, invented, false);
  // An invention is not the content of a persistent record: what is written must not say so for
  // ever.
  d.header.flags &= ~transient_flags;
  return {.header = d.header, .write = true};
}

bool accept_generation(generation packet, generation map, bool banned) {
  const bool same = packet == map || mutated(mutant::generation_not_checked);
  return !banned && same && map != generation::invalid;
}

bool map_applies(generation db, generation map) {
  const bool recovered = db == map || mutated(mutant::new_lmaster_invents);
  return recovered && map != generation::invalid;
}

bool survives_wait(bool from_peer, generation db_before, generation db_now) {
  return !from_peer || db_before == db_now;
}

std::optional<record_header> decide_push_record(pnn self, pnn from, generation map,
                                                generation packet, const record_header& pushed,
                                                const std::optional<record_header>& local) {
  if (!accept_generation(packet, map, false)) return std::nullopt;
  if (pushed.dmaster != from) return std::nullopt;
  if (pushed.dmaster == self || (local && local->dmaster == self)) return std::nullopt;
  if (local && local->rsn > pushed.rsn) return std::nullopt;
  record_header h = without_copies(pushed);
  h.flags = written_flags(h.flags) | record_flag::migrated_with_data;
  return h;
}

local_call_decision decide_local_call(pnn self, const record_header& local) {
  if (local.dmaster == self) return {.serve = true};
  return {.serve = false, .ask = local.dmaster};
}

req_call_decision decide_req_call(pnn self, pnn lmaster, pnn source, const record_header& local,
                                  std::uint32_t hop_count, bool read_only) {
  if (local.dmaster == self) {
    if (source == self) return {.outcome = req_call_outcome::serve_own, .hops = hop_count};
    if (read_only) return {.outcome = req_call_outcome::give_copy, .to = source, .hops = hop_count};
    if (lmaster == self)
      return {.outcome = req_call_outcome::give_directly, .to = source, .hops = hop_count};
    if (lmaster == pnn::unknown) return {.outcome = req_call_outcome::unroutable};
    return {.outcome = req_call_outcome::give_via_lmaster, .to = lmaster, .hops = hop_count};
  }
  const pnn to = lmaster == self ? local.dmaster : lmaster;
  if (to == pnn::unknown) return {.outcome = req_call_outcome::unroutable};
  const std::uint32_t hops = hop_count + 1;
  const bool lost = hops >= hops_that_mean_lost;
  return {.outcome = lost ? req_call_outcome::lost : req_call_outcome::redirect,
          .to = to,
          .hops = hops,
          .report_hops = hops % 100 > 95};
}

record_header giveaway_header(const record_header& local, bool has_data, pnn to) {
  // whose copies are out is not given away: what is left of these flags tells of nothing
  record_header h = without_copies(local);
  h.dmaster = to;
  if (has_data) h.flags |= record_flag::migrated_with_data;
  return h;
}

req_dmaster_decision decide_req_dmaster(pnn self, pnn lmaster, const dmaster_packet& packet,
                                        const std::optional<record_header>& local) {
  if (lmaster != self) return {.outcome = req_dmaster_outcome::not_lmaster};
  if (local && local->dmaster != packet.source) {
    const bool never_owned = local->rsn == rsn{0} && local->dmaster == self;
    if (!never_owned) return {.outcome = req_dmaster_outcome::not_dmaster};
  }
  return {
      .outcome =
          packet.new_dmaster == self ? req_dmaster_outcome::become : req_dmaster_outcome::pass_on,
      .header =
          without_copies({.rsn = packet.rsn, .dmaster = packet.new_dmaster, .flags = packet.flags}),
      .local_is_newer = local && local->rsn > packet.rsn,
  };
}

reply_dmaster_decision decide_reply_dmaster(pnn self, const dmaster_packet& packet,
                                            const awaited_record& awaited) {
  reply_dmaster_decision d{
      .header = without_copies({.rsn = packet.rsn, .dmaster = self, .flags = packet.flags}),
      .serve = awaited.found && awaited.same_key,
  };
  if (awaited.found && awaited.for_vacuuming) d.header.flags |= record_flag::vacuum_migrated;
  return d;
}

}  // namespace floe
