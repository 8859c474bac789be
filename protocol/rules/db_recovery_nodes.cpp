/// Which nodes a phase of a recovery asks, and whether they mean the same database. The phases are in db_recovery.cpp; since
/// when whom is asked for what: db_recovery_difference.cpp.
#include <algorithm>
#include <map>
#include <tuple>

#include "protocol/constants.hpp"
#include "protocol/db_kind.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/db_recovery.hpp"

namespace floe {
namespace {

/// Set at run time by clients, node by node: no part of a database's kind.
constexpr std::uint8_t kind_mask =
    static_cast<std::uint8_t>(~(db_flag::readonly | db_flag::sticky));

/// "a.tdb on 0,2; b.tdb on 1"
std::string who_says_what(const std::map<std::string, std::vector<pnn>>& said) {
  std::string s;
  for (const auto& [what, nodes] : said) {
    if (!s.empty()) s += "; ";
    s += what + " on " + describe(nodes);
  }
  return s;
}

}  // namespace

bool db_recovery::same_kinds() {
  std::map<std::string, std::vector<pnn>> said;
  for (const auto& c : plan_.copies) {
    flags_ = c.flags & kind_mask;
    said["flags " + std::to_string(flags_)].push_back(c.node);
  }
  kind_ = kind_of(flags_);
  if (said.size() == 1) return true;
  conflict_ = true;
  blame(pnn::unknown, failure_cause::flag_conflict, who_says_what(said));
  return false;
}

bool db_recovery::same_names() {
  std::map<std::string, std::vector<pnn>> said;
  for (const auto& [node, text] : names_) said[text].push_back(node);
  name_ = said.begin()->first;
  if (said.size() == 1) return true;
  conflict_ = true;
  blame(pnn::unknown, failure_cause::name_conflict, who_says_what(said));
  return false;
}

// ---- whom to ask ----

std::vector<pnn> db_recovery::everybody() const {
  std::vector<pnn> all;
  all.reserve(plan_.participants.size());
  for (const auto& p : plan_.participants) all.push_back(p.node);
  return all;
}

std::vector<pnn> db_recovery::who_has(bool has) const {
  std::vector<pnn> nodes = everybody();
  std::erase_if(nodes, [&](pnn n) {
    return (std::ranges::find(plan_.copies, n, &db_plan::copy::node) != plan_.copies.end()) != has;
  });
  return nodes;
}

std::vector<pnn> db_recovery::pull_sources() const {
  std::vector<pnn> sources;
  if (kind_ == db_kind::volatile_db) {
    for (const auto& p : plan_.participants)
      if (p.took_part) sources.push_back(p.node);
    return sources;
  }
  if (only_damaged()) {
    sources = damaged_;  // together they have most
    std::ranges::sort(sources);
    return sources;
  }
  sources.push_back(supplier());
  return sources;
}

/// Of the whole copies that lack nothing that another one knows (content_past.hpp) the highest sequence number supplies
/// everything. Of equal ones one of the last generation, of equals among these the lowest pnn: what was not decided there when
/// its node was lost did not happen, and others were acknowledged in its place. A number of 0 says nothing about the content:
/// one that has just been made must not win by it. A content that ends with the processes may have begun anew, with low numbers,
/// without anybody who had the old one: there what was acknowledged in the last generation counts first.
pnn db_recovery::supplier() const {
  const auto had = who_has(true);
  auto claims = seqnums_;
  std::erase_if(claims, [&](const past_claim& c) {
    return std::ranges::find(had, c.node) == had.end() ||
           std::ranges::find(damaged_, c.node) != damaged_.end();
  });
  if (!mutated(mutant::number_alone_counts) && !mutated(mutant::rival_of_lost_node_wins)) {
    const auto latest = latest_contents(claims);
    std::erase_if(claims, [&](const past_claim& c) {
      return std::ranges::find(latest, c.node) == latest.end();
    });
  }
  const auto counts = [&](pnn n) {
    const auto p = std::ranges::find(plan_.participants, n, &db_plan::participant::node);
    return p != plan_.participants.end() && p->took_part &&
           !mutated(mutant::rival_of_lost_node_wins);
  };
  const auto best = std::ranges::max_element(claims, {}, [&](const past_claim& c) {
    const bool first = kind_ == db_kind::replicated && c.number > 0 && counts(c.node) &&
                       !mutated(mutant::ended_content_wins_by_number);
    return std::tuple(first, c.number, counts(c.node), -std::int64_t{number(c.node)});
  });
  return best == claims.end() ? pnn::unknown : best->node;
}

/// Names those as well whose number is higher, and who have missed what was acknowledged since.
std::string db_recovery::who_supplies(const std::vector<pnn>& sources) const {
  auto text = "node " + describe(sources) + " supplies it";
  const auto of = std::ranges::find(seqnums_, sources.front(), &past_claim::node);
  if (only_damaged() || of == seqnums_.end()) return text;
  std::vector<pnn> missed;
  for (const auto& c : seqnums_)
    if (c.number > of->number && gives_way(c.past, of->past)) missed.push_back(c.node);
  if (!missed.empty()) text += "; node " + describe(missed) + " has missed what came after";
  return text;
}

bool db_recovery::only_damaged() const {
  return !damaged_.empty() && std::ranges::all_of(who_has(true), [&](pnn n) {
    return std::ranges::find(damaged_, n) != damaged_.end();
  });
}

}  // namespace floe
