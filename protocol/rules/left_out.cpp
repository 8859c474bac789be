#include "protocol/rules/left_out.hpp"

#include <algorithm>
#include <utility>

#include "protocol/rules/lineage.hpp"

namespace floe {
namespace {

bool has(std::span<const pnn> all, pnn n) { return std::ranges::find(all, n) != all.end(); }

}  // namespace

std::vector<pnn> left_out_by(std::span<const pnn> owed, std::span<const pnn> before,
                             std::span<const pnn> map, pnn self) {
  std::vector<pnn> all;
  for (const auto& some : {owed, before})
    for (const pnn n : some)
      if (n != self && !has(map, n) && !has(all, n)) all.push_back(n);
  std::ranges::sort(all);
  return all;
}

left_out_verdict judge_left_out(const part_member& m, bool told, duration keepalives) {
  const bool serves_nobody = m.inactive || (m.dead && !m.connected);
  const bool is_ctdbd = m.limit == duration{0};
  if (serves_nobody || is_ctdbd) return {};
  const auto left = m.limit + keepalives - m.silent;
  if (left <= duration{0}) return {};
  if (m.connected && !told) return {.what = left_out_verdict::kind::tell, .wait = left};
  return {.what = left_out_verdict::kind::waits, .wait = left};
}

left_out_answer answer_left_out(generation own, std::span<const pnn> map, pnn told_by,
                                generation goes_on) {
  if (own == generation::invalid || own == goes_on || !has(map, told_by))
    return left_out_answer::unconcerned;
  return supersedes(own, goes_on) ? left_out_answer::outdated : left_out_answer::freezes;
}

std::string_view name(left_out_verdict::kind k) {
  switch (k) {
    case left_out_verdict::kind::settled: return "settled";
    case left_out_verdict::kind::tell: return "tell";
    case left_out_verdict::kind::waits: return "waits";
  }
  std::unreachable();
}

std::string_view name(left_out_answer a) {
  switch (a) {
    case left_out_answer::freezes: return "freezes";
    case left_out_answer::unconcerned: return "unconcerned";
    case left_out_answer::outdated: return "outdated";
  }
  std::unreachable();
}

}  // namespace floe
