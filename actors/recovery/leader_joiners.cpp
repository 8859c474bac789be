/// Nodes that come are weighed before they are taken in: who lacks much is told to be filled first
/// (protocol/rules/joining.hpp).
#include <algorithm>
#include <numeric>

#include "actors/events.hpp"
#include "actors/recovery/leader.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/feature_level.hpp"
#include "protocol/rules/joining.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Who does not answer in this time is taken in as it is.
constexpr duration patience = std::chrono::seconds(1);

}  // namespace

void leader::act(const watch_effect::weigh& e) {
  weighing_ = {.number = e.weighing, .nodes = e.nodes};
  const auto& t = config_.tunables;
  if (t[tunable::floe_join_records] == 0 ||
      used_feature_level(newest_feature_level, t[tunable::feature_level]) < level_of_joining)
    return weighed();
  weighing_.missing = e.nodes.size() + 1;
  ask(env_.self, control::get_db_contents, {}, question::contents{e.weighing, env_.self}, patience);
  for (const pnn n : e.nodes)
    ask(n, control::get_db_contents, {}, question::contents{e.weighing, n}, patience);
}

void leader::answered(const question::contents& q, const control_answer& a) {
  if (q.weighing != weighing_.number) return;
  if (auto list = wire::decode<db_content_list>(a.data); list && a.status == 0)
    weighing_.contents[q.node] = std::move(list->entries);
  if (--weighing_.missing == 0) weigh_them();
}

void leader::weigh_them() {
  const auto ours = weighing_.contents.find(env_.self);
  for (const pnn n : weighing_.nodes) {
    const auto theirs = weighing_.contents.find(n);
    if (ours == weighing_.contents.end() || theirs == weighing_.contents.end()) continue;
    const auto lacks =
        what_is_lacking({env_.self, ours->second}, view_->members, {n, theirs->second});
    std::uint64_t records = 0;
    for (const auto& l : lacks) records += l.records;
    if (records <= config_.tunables[tunable::floe_join_records]) continue;
    join_request wanted{.rate = config_.tunables[tunable::floe_join_rate], .databases = {}};
    for (const auto& l : lacks)
      wanted.databases.push_back({.db_id = l.db,
                                  .claim = content_claim::base,
                                  .generation = lineage_of(theirs->second, l.db).gen,
                                  .records = l.records});
    note(event::join_asked{.pnn = n, .databases = lacks.size(), .records = records});
    ++weighing_.missing;
    ask(n, control::join, wire::encode(wanted), question::joining{weighing_.number, n}, patience);
  }
  if (weighing_.missing == 0) weighed();
}

void leader::answered(const question::joining& q, const control_answer& a) {
  if (q.weighing != weighing_.number) return;
  if (a.status == 0) weighing_.filled_first.push_back(q.node);
  if (--weighing_.missing == 0) weighed();
}

void leader::weighed() {
  watch(watch_event::weighed{weighing_.number, std::move(weighing_.filled_first)});
}

}  // namespace floe
