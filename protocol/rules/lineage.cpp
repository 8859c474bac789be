#include "protocol/rules/lineage.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

constexpr std::uint32_t ordered_bit = 0x80000000U;
constexpr unsigned name_bits = 12;
constexpr std::uint32_t count_mask = 0x7ffffU;
constexpr std::uint32_t replaced_life = life_of_replaced << 6;  ///< all bits of a life

bool is_ordered(generation g) { return number(g) & ordered_bit; }
std::uint32_t count_of(generation g) { return (number(g) >> name_bits) & count_mask; }

/// A generation, or several that are one history.
struct branch {
  std::vector<generation> gens;
  std::vector<pnn> nodes;    ///< there now
  std::size_t awake = 0;     ///< of these, those that name themselves as members
  std::vector<pnn> members;  ///< as any of them knows
  bool committed = false;    ///< by some node
};

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

bool meet(const std::vector<pnn>& a, const std::vector<pnn>& b) {
  return std::ranges::any_of(a, [&](pnn n) { return std::ranges::find(b, n) != b.end(); });
}

bool is_later(const branch& a, const branch& b) {
  return std::ranges::any_of(a.gens, [&](generation x) {
    return std::ranges::all_of(b.gens, [&](generation y) { return floe::is_later(x, y); });
  });
}

/// Neither can have followed the other.
bool side_by_side(const branch& a, const branch& b) {
  return std::ranges::all_of(a.gens, [&](generation x) {
    return std::ranges::all_of(b.gens, [&](generation y) {
      return is_ordered(x) && is_ordered(y) && count_of(x) == count_of(y);
    });
  });
}

std::pair<std::size_t, std::size_t> size(const branch& b) {
  return {b.nodes.size(), std::set(b.members.begin(), b.members.end()).size()};
}

/// Nobody can have gone on from it: all its members are still there.
bool is_complete(const branch& b) {
  return std::ranges::all_of(b.members,
                             [&](pnn n) { return std::ranges::find(b.nodes, n) != b.nodes.end(); });
}

/// Whether `b` is a smaller part of `a` that left the others where they were.
bool is_left_by(const branch& a, const branch& b) {
  const bool part = std::ranges::all_of(
      b.members, [&](pnn n) { return std::ranges::find(a.members, n) != a.members.end(); });
  return part && is_later(b, a) && a.awake > std::set(b.members.begin(), b.members.end()).size() &&
         !mutated(mutant::quicker_part_counts);
}

/// All nodes of `a` have hung while others of its members went on in `b`, without them.
bool slept_away(const branch& a, const branch& b) {
  return a.awake == 0 && b.awake > 0 && !mutated(mutant::hung_number_counts);
}

enum class relation : std::uint8_t { older, newer, one_history, strangers };

relation compare(const branch& a, const branch& b, bool one_part_serves) {
  const bool a_went_on = meet(a.members, b.nodes), b_went_on = meet(b.members, a.nodes);
  const bool b_later = is_later(b, a), a_later = is_later(a, b);
  const bool parted = (b_later && is_complete(a)) || (a_later && is_complete(b));
  if (!a_went_on && !b_went_on && parted && a.nodes.size() != b.nodes.size())
    return a.nodes.size() < b.nodes.size() ? relation::older : relation::newer;
  const bool larger_may_serve = !one_part_serves || mutated(mutant::more_nodes_beat_the_lock);
  if (larger_may_serve && a_went_on && !b_went_on && is_left_by(a, b)) return relation::newer;
  if (larger_may_serve && b_went_on && !a_went_on && is_left_by(b, a)) return relation::older;
  if (a_went_on && !b_went_on && slept_away(a, b)) return relation::older;
  if (b_went_on && !a_went_on && slept_away(b, a)) return relation::newer;
  if (b_later && b.committed) return relation::older;
  if (a_later && a.committed) return relation::newer;
  if (a_went_on && b_went_on) return relation::one_history;
  if (side_by_side(a, b) && size(a) != size(b) && !mutated(mutant::equal_count_followed))
    return size(a) < size(b) ? relation::older : relation::newer;
  if (a_went_on != b_went_on) return a_went_on ? relation::older : relation::newer;
  if (a_later != b_later) return b_later ? relation::older : relation::newer;
  return relation::strangers;
}

/// Joins what is one history, until nothing is.
void join(std::vector<branch>& branches, bool one_part_serves) {
  for (std::size_t i = 0; i < branches.size(); ++i)
    for (std::size_t j = i + 1; j < branches.size(); ++j)
      if (compare(branches[i], branches[j], one_part_serves) == relation::one_history) {
        append(branches[i].gens, branches[j].gens);
        append(branches[i].nodes, branches[j].nodes);
        append(branches[i].members, branches[j].members);
        branches[i].awake += branches[j].awake;
        branches[i].committed |= branches[j].committed;
        branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(j));
        return join(branches, one_part_serves);
      }
}

}  // namespace

std::vector<pnn> last_generation_members(std::span<const lineage_claim> claims, pnn leader,
                                         bool one_part_serves) {
  std::map<generation, branch> by_generation;
  for (const auto& c : claims) {
    if (c.line.gen == generation::invalid) continue;
    auto& b = by_generation[c.line.gen];
    b.gens = {c.line.gen};
    b.nodes.push_back(c.node);
    b.awake += std::ranges::find(c.line.members, c.node) != c.line.members.end();
    append(b.members, c.line.members);
    b.committed |= c.line.committed;
  }
  std::vector<branch> branches;
  branches.reserve(by_generation.size());
  for (auto& [gen, b] : by_generation) branches.push_back(std::move(b));
  join(branches, one_part_serves);

  std::vector<branch> current;
  for (const auto& b : branches)
    if (std::ranges::none_of(branches, [&](const branch& o) {
          return compare(b, o, one_part_serves) == relation::older;
        }))
      current.push_back(b);
  // only contradictory claims leave nobody: each history older than the next, in a circle
  if (current.empty()) current = branches;
  if (current.empty()) return {};

  for (auto& b : current) std::ranges::sort(b.nodes);
  const auto rank = [&](const branch& b) {
    const bool leads = std::ranges::find(b.nodes, leader) != b.nodes.end();
    return std::tuple(b.nodes.size(), leads, ~number(b.nodes.front()));
  };
  return std::ranges::max_element(current, {}, rank)->nodes;
}

/// No recovery among floe's nodes alone has such a number.
generation birth_under(generation map) {
  if (!is_ordered(map) || count_of(map) == 0) return generation::invalid;
  return generation{number(map) & ~ordered_bit};
}

bool is_birth(generation g) { return !is_ordered(g) && count_of(g) != 0; }

generation replaced_under(generation map) {
  return is_ordered(map) ? generation{number(map) | replaced_life} : generation::invalid;
}

bool is_replaced(generation g) {
  return is_ordered(g) && (number(g) & replaced_life) == replaced_life;
}

bool same_life(generation a, generation b) {
  constexpr std::uint32_t names = (1U << name_bits) - 1;
  return is_ordered(a) && is_ordered(b) && (number(a) & names) == (number(b) & names);
}

bool is_later(generation a, generation b) {
  if (!is_ordered(a) || !is_ordered(b)) return false;
  const std::uint32_t ahead = (count_of(a) - count_of(b)) & count_mask;
  if (ahead == 0) return a != b && replaced_under(b) == a;
  return ahead <= count_mask / 2;
}

bool supersedes(generation a, generation b) {
  if (is_later(a, b)) return true;
  return is_ordered(a) && is_ordered(b) && count_of(a) == count_of(b) && number(a) > number(b);
}

generation next_generation(std::span<const generation> known, std::uint32_t named) {
  generation latest{ordered_bit};
  bool found = false;
  for (const generation g : known) {
    if (!is_ordered(g) || (found && !is_later(g, latest))) continue;
    latest = g;
    found = true;
  }
  const std::uint32_t count = (count_of(latest) + 1) & count_mask;
  return generation{ordered_bit | (count << name_bits) | (named & ((1U << name_bits) - 1))};
}

generation later_by(generation g, std::uint32_t more) {
  if (!is_ordered(g)) return generation::invalid;
  for (std::uint32_t i = 0; i <= more; ++i) g = next_generation(std::span(&g, 1), 0);
  return g;
}

}  // namespace floe
