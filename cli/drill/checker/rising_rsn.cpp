/// The sequence number of a record never falls while the record lives.
#include <fmt/format.h>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/register_history.hpp"

namespace floe::cli::drill {
namespace {

void check_record(const history& h, const register_history& r, std::vector<finding>& all) {
  if (!stale_sights(h, r).empty())
    return;  // an older copy took over: its loss is another checker's matter
  const operation* before = nullptr;
  for (const auto s : r.sights) {
    const auto& now = h.ops[s];
    if (now.kind != op_kind::lock || h.in_the_dark(now.node, now.begin, now.end)) continue;
    if (now.value.empty()) {  // it has died, or was never born
      before = nullptr;
      continue;
    }
    // a move alone raises it; if the node it moved to is lost, the copy left behind is as good
    const bool move_lost =
        before && before->value == now.value && h.disturbed(before->node, before->begin, now.end);
    if (before && now.begin > before->end && now.rsn < before->rsn && !move_lost)
      all.push_back(
          {true, fmt::format("{}: its rsn was {} at {} and {} at {}", record_text(now), before->rsn,
                             at_text(before->end), now.rsn, at_text(now.end))});
    before = &now;
  }
}

}  // namespace

checker rising_rsn_checker() {
  return {"rising rsn", "the rsn of a record never falls while the record lives",
          [](const history& h, const observations&) {
            std::vector<finding> all;
            for (const auto& [record, r] : by_record(h)) {
              // a deletion between two sights that nobody saw may have ended one life and begun another
              bool died = false;
              for (const auto w : r.writes) died |= h.ops[w].kind != op_kind::store;
              if (!died) check_record(h, r, all);
            }
            return all;
          }};
}

}  // namespace floe::cli::drill
