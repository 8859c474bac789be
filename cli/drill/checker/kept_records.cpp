/// What was acknowledged stays: writes are not lost, deleted records do not come back.
#include <fmt/format.h>

#include <set>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/register_history.hpp"

namespace floe::cli::drill {
namespace {

std::string value_text(const std::string& v) { return v.empty() ? "no record" : "\"" + v + "\""; }

std::vector<finding> missing_writes(const history& h, op_kind kind) {
  std::vector<finding> all;
  for (const auto& [record, r] : by_record(h)) {
    std::set<std::size_t> known;
    for (const auto& s : stale_sights(h, r)) {
      const auto& sight = h.ops[s.sight];
      // a node that is out of the cluster, and has not been told, knows only what it had
      if (h.disturbed(sight.node, sight.begin, sight.end)) continue;
      for (const auto w : s.missing) {
        const auto& lost = h.ops[w];
        if (lost.kind != kind || !known.insert(w).second) continue;
        const bool explained = loss_is_explained(h, r, w);
        all.push_back({!explained,
                       fmt::format("{} {} by {} on node {}, acknowledged at {}, {}: {} on node {} saw {} at {}",
                                   record_text(lost), kind == op_kind::erase ? "deleted" : "written as " + value_text(lost.value),
                                   lost.client, lost.node, at_text(lost.end),
                                   kind == op_kind::erase ? "is back" : "is lost", sight.client, sight.node,
                                   value_text(sight.value), at_text(sight.end))});
      }
    }
  }
  return all;
}

}  // namespace

checker kept_writes_checker() {
  return {"kept writes", "no acknowledged write is lost, unless with a node that was lost",
          [](const history& h, const sightings&) { return missing_writes(h, op_kind::store); }};
}
checker kept_deletions_checker() {
  return {"kept deletions", "deleted records stay deleted",
          [](const history& h, const sightings&) { return missing_writes(h, op_kind::erase); }};
}

}  // namespace floe::cli::drill
