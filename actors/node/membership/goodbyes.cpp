#include "actors/node/membership/goodbyes.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/feature_level.hpp"
#include "protocol/types/basic.hpp"

namespace floe {
namespace {

/// Who is to end is not kept from it by a node that hangs.
constexpr duration patience = std::chrono::milliseconds(500);
/// A peer may say anything.
constexpr std::size_t longest_words = 200;

}  // namespace

bool goodbyes::would_say(pnn p) const {
  const auto* n = port_.view().find(p);
  return n &&
         used_feature_level(n->level, port_.tunables[tunable::feature_level]) >= level_of_goodbye;
}

void goodbyes::say(const std::string& by, std::function<void()> then) {
  std::vector<pnn> listeners;
  const auto& nodes = port_.view().nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (const pnn p{static_cast<std::uint32_t>(i)};
        p != port_.env.self && !(nodes[i].flags & node_flag::disconnected) && would_say(p))
      listeners.push_back(p);
  if (std::exchange(said_, true) || listeners.empty()) return then();
  const auto left = std::make_shared<std::size_t>(listeners.size());
  for (const pnn p : listeners)
    calls_.ask<control::goodbye>(p, {by}, patience,
                                 replier([left, to = port_.self, then](const control_answer&) {
                                   if (--*left == 0) to.tell(work_ended{then});
                                 }));
}

outcome_of<control::goodbye> goodbyes::hear(const request_of<control::goodbye>& by,
                                            const caller& from) {
  if (from.from == port_.env.self) return {};
  auto& said = heard_[from.from] = std::string(by.value.substr(0, longest_words));
  port_.note(event::node_goodbye{.pnn = from.from, .by = said});
  return {};
}

const std::string* goodbyes::of(pnn p) const {
  const auto i = heard_.find(p);
  return i == heard_.end() ? nullptr : &i->second;
}

}  // namespace floe
