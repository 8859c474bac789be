/// What was acknowledged stays: writes are not lost, deleted records do not come back.
#include <fmt/format.h>

#include <set>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/losses.hpp"

namespace floe::cli::drill {
namespace {

std::string value_text(const std::string& v) { return v.empty() ? "no record" : "\"" + v + "\""; }

bool is_deletion(op_kind k) { return k != op_kind::store; }

std::vector<finding> missing_writes(const history& h, const observations& seen, bool deletions) {
  std::vector<finding> all;
  std::map<std::string_view, content_history> contents;
  for (const auto& [record, r] : by_record(h)) {
    std::set<std::size_t> known;
    const auto stale = stale_sights(h, r);
    if (stale.empty()) continue;
    record_holders had(h, seen, r);
    for (const auto& s : stale) {
      const auto& sight = h.ops[s.sight];
      // a node that is cut off, and has not been told, knows only what it had
      if (h.in_the_dark(sight.node, sight.begin, sight.end)) continue;
      for (const auto w : s.missing) {
        const auto& lost = h.ops[w];
        if (is_deletion(lost.kind) != deletions) continue;
        const auto& of_db =
            contents.try_emplace(record.first, h, seen, std::string(record.first)).first->second;
        if (known.contains(w) || in_another_part(h, of_db, w, sight)) continue;
        known.insert(w);
        const auto why = explain_loss(h, seen, r, had, of_db, w, s);
        all.push_back(
            {!why,
             fmt::format("{} {} by {} on node {}, {}, {}: {} on node {} saw {} at {}",
                         record_text(h.ops[s.sight]),
                         deletions ? "deleted" : "written as " + value_text(lost.value),
                         lost.client, lost.node,
                         lost.result == op_end::done ? "acknowledged at " + at_text(lost.end)
                                                     : "which others have seen",
                         deletions ? "is back" : "is lost", sight.client, sight.node,
                         value_text(sight.value), at_text(sight.end)),
             why ? cause_text(*why) : std::string()});
      }
    }
  }
  return all;
}

}  // namespace

checker kept_writes_checker() {
  return {"kept writes", "no acknowledged write is lost, unless with the last node that had it",
          [](const history& h, const observations& s) { return missing_writes(h, s, false); },
          true};
}
checker kept_deletions_checker() {
  return {"kept deletions", "deleted records stay deleted",
          [](const history& h, const observations& s) { return missing_writes(h, s, true); }, true};
}

}  // namespace floe::cli::drill
