/// Each record by itself behaves as one register: there is one order of all operations on it that
/// everybody could have seen. With values that are written once, this can be told from the time
/// between the first end and the last begin of all operations that concern one value (the *zone* of
/// the value; P. Gibbons, E. Korach, "Testing shared memories", 1997): two values whose zones lie
/// across each other cannot be ordered.
/// A value that has been written twice says nothing here: which of the two a sight was of is not known.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/register_history.hpp"

namespace floe::cli::drill {
namespace {

struct zone {
  time_us first_end = never, last_begin = -1;
  std::size_t op = 0;
  unsigned writes = 0;
  bool forward() const { return first_end < last_begin; }
  time_us low() const { return std::min(first_end, last_begin); }
  time_us high() const { return std::max(first_end, last_begin); }
  void add(const operation& o, std::size_t i) {
    first_end = std::min(first_end, o.end);
    last_begin = std::max(last_begin, o.begin);
    op = i;
  }
};

void check_record(const history& h, const register_history& whole, std::vector<finding>& all) {
  const auto r = without_the_dark(h, whole);
  const auto stale = stale_sights(h, r);
  for (const auto& s : stale)
    if (s.unknown_value)
      all.push_back(
          {true,
           fmt::format("{}: {} on node {} saw \"{}\" at {}, which nobody has written",
                       record_text(h.ops[s.sight]), h.ops[s.sight].client, h.ops[s.sight].node,
                       h.ops[s.sight].value, at_text(h.ops[s.sight].end))});
  // a record that has lost writes has more than one history; the losses are another checker's matter
  if (!stale.empty()) return;
  std::map<std::string, zone> zones;
  for (const auto w : r.writes)
    if (h.ops[w].kind == op_kind::store) {
      auto& z = zones[h.ops[w].value];
      auto write = h.ops[w];
      if (write.result != op_end::done) write.end = never;  // it may happen later, or not at all
      z.add(write, w);
      ++z.writes;
    }
  for (const auto s : r.sights)
    if (auto z = zones.find(h.ops[s].value); z != zones.end()) z->second.add(h.ops[s], s);
  std::vector<zone> forward, backward;
  std::erase_if(zones,
                [](const auto& z) { return z.second.first_end == never || z.second.writes > 1; });
  for (const auto& [value, z] : zones) (z.forward() ? forward : backward).push_back(z);
  std::ranges::sort(forward, {}, &zone::low);
  const auto tell = [&](const zone& a, const zone& b) {
    all.push_back(
        {true,
         fmt::format(
             "{}: no order of its operations fits what was seen of \"{}\" and \"{}\", around {}",
             record_text(h.ops[a.op]), h.ops[a.op].value, h.ops[b.op].value, at_text(b.low()))});
  };
  for (std::size_t i = 1; i < forward.size(); ++i)
    if (forward[i].low() < forward[i - 1].high()) tell(forward[i - 1], forward[i]);
  for (const auto& b : backward) {
    const auto after = std::ranges::upper_bound(forward, b.low(), {}, &zone::low);
    if (after != forward.begin() && std::prev(after)->low() < b.low() &&
        b.high() < std::prev(after)->high())
      tell(*std::prev(after), b);
  }
}

}  // namespace

checker linear_records_checker() {
  return {"linearizable records",
          "one order of all operations on a record explains all that was seen of it",
          [](const history& h, const observations&) {
            std::vector<finding> all;
            for (const auto& [record, r] : by_record(h)) check_record(h, r, all);
            return all;
          }};
}

}  // namespace floe::cli::drill
