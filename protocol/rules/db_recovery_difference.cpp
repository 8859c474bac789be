/// What each node of a recovery has and lacks: whether the recovery can look at what has changed only, and since when whom
/// is asked for what. The phases are in db_recovery.cpp.
#include <algorithm>
#include <map>

#include "protocol/mutant.hpp"
#include "protocol/rules/db_recovery.hpp"
#include "protocol/rules/lineage.hpp"

namespace floe {

const db_copy* db_recovery::copy_of(pnn n) const {
  const auto i = std::ranges::find(told_, n, &std::pair<pnn, db_copy>::first);
  return i == told_.end() ? nullptr : &i->second;
}

/// Who counts was told by what the nodes said before the recovery. Whoever has committed something since then has come
/// from another leader's recovery, which may have dropped what the others still have.
bool db_recovery::contents_as_told() {
  bool more_committed = false;
  for (const auto& p : plan_.participants) {
    const auto* copy = copy_of(p.node);
    if (!copy || !p.content) continue;
    if (copy->content == plan_.gen) {  // a commit of ours whose answer was lost
      if (std::ranges::find(committed_by_, p.node) != committed_by_.end()) continue;
      committed_by_.push_back(p.node);
      more_committed = true;
    } else if (copy->content != generation::invalid && copy->content != *p.content &&
               copy->content != birth_under(*p.content)) {
      outdated_ = true;
      blame(p.node, failure_cause::outdated,
            "content of generation " + std::to_string(number(copy->content)) + ", had told " +
                std::to_string(number(*p.content)));
    }
  }
  if (more_committed) only_committed_count();
  return !outdated_;
}

generation db_recovery::content_of(pnn n) const { return copy_of(n)->content; }
const std::vector<generation>& db_recovery::earlier_of(pnn n) const { return copy_of(n)->earlier; }

std::string db_recovery::why_everything() const {
  return differed_ ? "contents differed" : "asked for";
}

/// Empty: it can be.
std::string db_recovery::why_not_by_difference() const {
  if (plan_.whole) return why_everything();
  const db_copy* first = nullptr;
  bool one_has_noted = false;
  for (const auto& p : plan_.participants) {
    const auto* copy = copy_of(p.node);
    const auto who = "node " + std::to_string(number(p.node));
    if (!copy) return who + " does not tell what it has";
    if (!p.took_part) continue;
    if (copy->changes == change_state::none)
      return who + " has a content that no other is known to share";
    if (first && first->content != copy->content) return "several generations count";
    one_has_noted |= copy->changes == change_state::complete;
    first = copy;
  }
  if (!first) return "nobody counts";
  if (!one_has_noted) return "overflow: nobody has noted all changes";
  return {};
}

void db_recovery::choose_way() {
  base_ = generation::invalid;
  why_whole_ = plan_.floe_only ? why_not_by_difference() : plan_.why_not_floe;
  if (!plan_.floe_only) return;
  if (!why_whole_.empty()) return;
  for (const auto& p : plan_.participants)
    if (p.took_part) base_ = copy_of(p.node)->content;
  assert(base_ != generation::invalid && "changes since no generation");
}

std::vector<pnn> db_recovery::members() const {
  std::vector<pnn> nodes;
  for (const auto& p : plan_.participants)
    if (p.took_part) nodes.push_back(p.node);
  return nodes;
}

/// Members that know all that they have changed since the base.
std::vector<pnn> db_recovery::noted() const {
  auto nodes = members();
  std::erase_if(nodes, [&](pnn n) { return copy_of(n)->changes != change_state::complete; });
  return nodes;
}

std::vector<pnn> db_recovery::overflowed() const {
  if (!by_difference()) return {};
  auto nodes = members();
  std::erase_if(nodes, [&](pnn n) { return copy_of(n)->changes == change_state::complete; });
  return nodes;
}

/// Who has made most of the generations before this one: a member that missed some has taken their steps at once.
pnn db_recovery::historian() const {
  const auto nodes = noted();
  return *std::ranges::max_element(nodes, {}, [&](pnn n) { return copy_of(n)->earlier.size(); });
}

/// The latest content that this node and the historian have both had, where both know all that they have changed
/// since: the node's own, or one before it, if it has recovered without the others; that which the members still have, if
/// only the node has. Invalid: there is none.
generation db_recovery::common_with(pnn n) const {
  const auto* copy = copy_of(n);
  if (copy->changes != change_state::complete) return generation::invalid;
  const auto& known = copy_of(historian())->earlier;
  const auto is_known = [&](generation g) { return std::ranges::find(known, g) != known.end(); };
  if (is_known(copy->content)) return copy->content;
  const auto shared = std::ranges::find_if(copy->earlier, [&](generation g) {
    return is_known(g) || (g == base_ && !mutated(mutant::base_is_nobodys_past));
  });
  return shared == copy->earlier.end() ? generation::invalid : *shared;
}

/// The content that this node was filled with, if the members have it or know what they have changed since. Invalid: no.
generation db_recovery::filled_with(pnn n) const {
  const auto* copy = copy_of(n);
  if (copy->changes != change_state::filled || copy->earlier.empty()) return generation::invalid;
  const auto& known = copy_of(historian())->earlier;
  const auto base = copy->earlier.front();
  const bool is_known = base == base_ || std::ranges::find(known, base) != known.end();
  return is_known ? base : generation::invalid;
}

std::vector<pnn> db_recovery::filled() const {
  std::vector<pnn> nodes;
  if (!by_difference()) return nodes;
  for (const auto& p : plan_.participants)
    if (!p.took_part && filled_with(p.node) != generation::invalid) nodes.push_back(p.node);
  return nodes;
}

/// Those that have a content in common with the historian.
std::vector<pnn> db_recovery::behind() const {
  std::vector<pnn> nodes;
  if (!by_difference()) return nodes;
  for (const auto& p : plan_.participants)
    if (!p.took_part && common_with(p.node) != generation::invalid) nodes.push_back(p.node);
  return nodes;
}

std::vector<pnn> db_recovery::fresh() const {
  std::vector<pnn> nodes = everybody();
  auto have = behind();
  std::ranges::copy(filled(), std::back_inserter(have));
  std::erase_if(nodes, [&](pnn n) {
    const auto p = std::ranges::find(plan_.participants, n, &db_plan::participant::node);
    return p->took_part || std::ranges::find(have, n) != have.end();
  });
  return nodes;
}

bool db_recovery::knows_all_since_birth(pnn n) const {
  const auto* copy = copy_of(n);
  return copy->changes == change_state::complete &&
         is_birth(copy->earlier.empty() ? copy->content : copy->earlier.back());
}

/// Somebody who counts was in a generation that this node comes from, and has nothing in common with it: the database was made anew
/// there since, and what was in it is gone with it. Of the leader that is known by itself, others must know all since they
/// created it.
bool db_recovery::left_behind(pnn n) const {
  if (mutated(mutant::detached_content_counts)) return false;
  const auto* copy = copy_of(n);
  return std::ranges::any_of(plan_.participants, [&](const db_plan::participant& p) {
    const auto was_in = [&](generation content) {
      return std::ranges::find(p.was_in, content) != p.was_in.end();
    };
    return p.took_part && (p.node == plan_.leader || knows_all_since_birth(p.node)) &&
           (was_in(copy->content) || std::ranges::any_of(copy->earlier, was_in));
  });
}

bool db_recovery::shares_their_past(pnn n) const {
  if (mutated(mutant::past_forgotten)) return false;
  const auto p = std::ranges::find(plan_.participants, n, &db_plan::participant::node);
  if (p->met_members) return true;
  const auto& copy = *copy_of(n);
  const auto was_here = [&](generation content) {
    return std::ranges::any_of(
        plan_.seen, [&](generation map) { return content == map || content == birth_under(map); });
  };
  return was_here(copy.content) || std::ranges::any_of(copy.earlier, was_here);
}

/// As those remember it that have the same content.
content_past db_recovery::past_of(pnn n) const {
  const auto own = std::ranges::find(seqnums_, n, &past_claim::node);
  return own == seqnums_.end() ? content_past{} : shared_past(*own, seqnums_);
}

/// It has served clients, and what it has does not count.
bool db_recovery::has_another_content(pnn n) const {
  const auto* copy = copy_of(n);
  return copy && copy->content != generation::invalid && copy->changes != change_state::filled;
}

/// Somebody has a content of which the members cannot tell what they have changed since: what it came from may tell more.
bool db_recovery::history_is_missing() const {
  return plan_.floe_only && !members().empty() && !mutated(mutant::replaced_content_forgets) &&
         std::ranges::any_of(fresh(), [&](pnn n) { return has_another_content(n); });
}

/// A content that was put there by an operator, in the place of one that the members' came from as well, is later than
/// theirs, whoever has more nodes: he wanted the old one gone.
void db_recovery::let_replaced_count() {
  const auto members_past = past_of(members().front());
  for (const pnn n : fresh()) {
    const auto* copy = copy_of(n);
    const auto past = past_of(n);
    if (!has_another_content(n) || !is_replaced(past.written) ||
        !came_from(past, members_past.written) || came_from(members_past, past.written))
      continue;
    const auto content = copy->content;
    for (auto& p : plan_.participants) {
      const auto* other = copy_of(p.node);
      p.took_part = other && other->content == content;
    }
    plan_.all_here = false;  // who was with them is not known
    return;
  }
}

void db_recovery::look_where_parts_left() {
  parted_.clear();
  if (!by_difference()) return;
  const auto past = past_of(members().front());
  for (const pnn n : fresh()) {
    const auto* copy = copy_of(n);
    if (copy->changes != change_state::complete || is_replaced(copy->content) ||
        came_from(past, copy->content))
      continue;
    const auto shared =
        std::ranges::find_if(copy->earlier, [&](generation g) { return came_from(past, g); });
    if (shared != copy->earlier.end()) parted_.emplace_back(n, *shared);
  }
}

generation db_recovery::parted_at(pnn n) const {
  const auto i = std::ranges::find(parted_, n, &std::pair<pnn, generation>::first);
  return i == parted_.end() ? generation::invalid : i->second;
}

std::vector<pnn> db_recovery::strangers() const {
  if (!by_difference() || mutated(mutant::smaller_part_thrown_away)) return {};
  auto nodes = fresh();
  const bool members_know =
      std::ranges::any_of(noted(), [&](pnn n) { return knows_all_since_birth(n); });
  std::erase_if(nodes, [&](pnn n) {
    if (parted_at(n) != generation::invalid) return false;
    const auto content = copy_of(n)->content;
    // what a tool put there has served nobody
    return content == generation::invalid || is_replaced(content) || left_behind(n) ||
           !(members_know || (knows_all_since_birth(n) && !shares_their_past(n)));
  });
  return nodes;
}

std::vector<pnn> db_recovery::returning() const {
  auto nodes = behind();
  std::ranges::copy(strangers(), std::back_inserter(nodes));
  return nodes;
}

generation db_recovery::changes_since(pnn n) const {
  const auto* copy = copy_of(n);
  const auto needed = behind();
  if (std::ranges::find(needed, n) != needed.end()) return common_with(n);
  if (copy->changes == change_state::filled) return filled_with(n);
  if (const auto parted = parted_at(n); parted != generation::invalid) return parted;
  if (mutated(mutant::changes_of_another_base)) return base_;
  if (!strangers().empty() && !copy->earlier.empty()) return copy->earlier.back();
  std::vector<generation> needed_since;
  for (const pnn b : needed)
    if (!left_at_base(b)) needed_since.push_back(common_with(b));
  for (const pnn b : filled())
    if (filled_with(b) != base_) needed_since.push_back(filled_with(b));
  generation since = base_;
  for (const generation g : needed_since) {
    const auto wanted = std::ranges::find(copy->earlier, g);
    // it has become a member later: all that it has changed since counts
    if (wanted == copy->earlier.end() && !copy->earlier.empty()) return copy->earlier.back();
    if (wanted == copy->earlier.end()) continue;
    const auto so_far = std::ranges::find(copy->earlier, since);
    if (so_far == copy->earlier.end() || wanted > so_far) since = *wanted;
  }
  return since;
}

/// Where the members are more, but the others were the first that recovered, the members have gone through no recovery without
/// them: they still have the content in common, and part in this recovery. Until then a record had one owner at a time, so
/// nobody among them has written it since (parts.hpp), and the later copy counts.
bool db_recovery::left_at_base(pnn n) const { return common_with(n) == base_; }

generation db_recovery::own_generation(pnn n) const {
  const auto has = copy_of(n)->content;
  return common_with(n) == has ? generation::invalid : has;
}

/// How a step of a member that was away when a node parted from the others lies to that content. What it changed in a step from before
/// to after that, those who were there know: they noted what it brought when it came back.
bool db_recovery::came_after(pnn member, std::ptrdiff_t step, generation parted) const {
  const auto& steps = copy_of(member)->earlier;
  const auto& history = copy_of(historian())->earlier;
  const auto size = static_cast<std::ptrdiff_t>(steps.size());
  if (step < 0 || step >= size || mutated(mutant::who_was_away_has_touched_all)) return true;
  const auto place = [&](generation g) -> std::optional<std::ptrdiff_t> {
    if (g == base_) return -1;
    const auto i = std::ranges::find(history, g);
    return i == history.end() ? std::nullopt : std::optional(i - history.begin());
  };
  const auto at = place(parted);
  const auto begins = place(steps[static_cast<std::size_t>(step)]);
  const auto ends = place(step == 0 ? base_ : steps[static_cast<std::size_t>(step - 1)]);
  if (!at || !ends) return true;
  return *ends < *at && begins && *begins < *at;
}

/// Ages: 0 not changed, 1 since the base, 2 in the step before it, and so on.
key_touches db_recovery::touches(pnn member, std::uint32_t age) const {
  key_touches t;
  if (age == 0 || mutated(mutant::returner_keeps_everything)) return t;
  const auto& steps = copy_of(member)->earlier;
  const auto& history = copy_of(historian())->earlier;
  const auto end_of = [&](const std::vector<generation>& all, std::ptrdiff_t step) {
    return step == 0 ? base_ : all[static_cast<std::size_t>(step - 1)];
  };
  const auto needed = returning();
  const auto parted_once = behind().size();
  for (std::size_t i = 0; i < needed.size() && i < 64; ++i) {
    const auto bit = std::uint64_t{1} << i;
    if (i >= parted_once) {
      t.after |= bit;
      continue;
    }
    if (left_at_base(needed[i])) continue;
    const auto parted = std::ranges::find(steps, common_with(needed[i]));
    const auto parted_there = std::ranges::find(history, common_with(needed[i]));
    const auto step = static_cast<std::ptrdiff_t>(age) - 2;
    const auto first = parted - steps.begin();
    // a member that missed the first commit has that step and the next ones in one; one that came later parted from nobody
    const bool same = parted != steps.end() &&
                      end_of(steps, first) == end_of(history, parted_there - history.begin());
    if (parted == steps.end()) {
      if (came_after(member, step, common_with(needed[i]))) t.after |= bit;
    } else if (step < first || (step == first && !same))
      t.after |= bit;
    else if (step == first)
      t.before |= bit;
  }
  return t;
}

std::uint64_t db_recovery::parted_before(pnn member, std::uint32_t age) const {
  const auto& steps = copy_of(member)->earlier;
  const auto needed = behind();
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < needed.size() && i < 64; ++i) {
    if (left_at_base(needed[i])) continue;
    const auto common = common_with(needed[i]);
    const auto step = static_cast<std::ptrdiff_t>(age) - 2;
    const auto parted = std::ranges::find(steps, common);
    // where it parted the member's step is not sure to be the others', if it missed their first commit
    if (parted == steps.end() ? came_after(member, step, common) : step < parted - steps.begin())
      mask |= std::uint64_t{1} << i;
  }
  return mask;
}

bool db_recovery::after_own_commit(pnn n, std::uint32_t age) const {
  const auto& steps = copy_of(n)->earlier;
  const auto common = common_with(n);
  const auto since = common == generation::invalid ? parted_at(n) : common;
  const auto parted = std::ranges::find(steps, since) - steps.begin();
  return static_cast<std::ptrdiff_t>(age) - 2 < parted;
}

bool db_recovery::parts_meet() const {
  return !strangers().empty() || std::ranges::any_of(behind(), [&](pnn n) {
    return own_generation(n) != generation::invalid;
  });
}

bool db_recovery::made_of_nothing() const {
  return plan_.floe_only && kind_ == db_kind::volatile_db && members().empty();
}

db_way db_recovery::way() const {
  if (by_difference()) return db_way::difference;
  return unchanged_ ? db_way::unchanged : db_way::whole;
}

std::uint64_t db_recovery::records_before() const {
  std::uint64_t most = 0;
  for (const auto& [n, copy] : told_) most = std::max(most, copy.records);
  return most;
}

std::string_view name(db_way w) {
  switch (w) {
    case db_way::unchanged: return "unchanged";
    case db_way::difference: return "difference";
    case db_way::whole: return "whole";
  }
  std::unreachable();
}

/// Persistent and replicated content that everybody committed with the same generation, and that the same transactions
/// have changed since: of two rivals the sequence number is equal, so the contents are compared as well. A sequence
/// number of 0 says nothing.
bool db_recovery::all_equal() const {
  if (!plan_.floe_only || plan_.whole || !damaged_.empty()) return false;
  const auto n = seqnums_.empty() ? 0 : seqnums_.front().number;
  const auto* first = copy_of(plan_.participants.front().node);
  return n != 0 && first && first->content != generation::invalid &&
         std::ranges::all_of(seqnums_, [&](const auto& s) { return s.number == n; }) &&
         std::ranges::all_of(plan_.participants, [&](const auto& p) {
           const auto* copy = copy_of(p.node);
           return p.took_part && copy && copy->content == first->content &&
                  copy->digest == first->digest && copy->changes != change_state::none;
         });
}

std::vector<pnn> db_recovery::wiped() const { return by_difference() ? fresh() : everybody(); }

/// Who gets records.
std::vector<pnn> db_recovery::targets() const {
  if (!by_difference()) return everybody();
  std::vector<pnn> nodes = fresh();
  for (const auto& [n, records] : lack_)
    if (std::ranges::find(nodes, n) == nodes.end()) nodes.push_back(n);
  std::ranges::sort(nodes);
  return nodes;
}

std::uint64_t db_recovery::sent_to(pnn n) const {
  if (!by_difference()) return merged_;
  const auto i = std::ranges::find(lack_, n, &db_lack::node);
  return i == lack_.end() ? 0 : i->records;
}

/// A node that has something else than most is named; the next try pulls everything, from all.
bool db_recovery::equal_contents() {
  std::map<std::uint64_t, std::vector<pnn>> by_digest;
  for (const auto& [n, digest] : digests_) by_digest[digest].push_back(n);
  if (by_digest.size() <= 1) return true;
  const auto most =
      std::ranges::max_element(by_digest, {}, [](const auto& d) { return d.second.size(); });
  for (const auto& [digest, nodes] : by_digest)
    if (digest != most->first)
      for (pnn n : nodes)
        blame(
            n, failure_cause::content_differs,
            "after a recovery " + std::string(by_difference() ? "by difference" : "of everything"));
  plan_.whole = differed_ = true;
  return false;
}

}  // namespace floe
