#include "actors/node/membership/lock_tests.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/lock_taken.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/basic.hpp"

namespace floe {
namespace {

constexpr duration longest_test = std::chrono::seconds(5);

}  // namespace

bool lock_tests::lacking() const {
  std::size_t nodes = 0;
  for (const auto& n : port_.view().nodes) nodes += (n.flags & node_flag::deleted) == 0;
  return nodes > 1 && port_.config.cluster_lock.empty() &&
         port_.config.quorum != quorum_rule::majority;
}

outcome_of<control::get_reclock_file> lock_tests::get_reclock_file() const {
  if (port_.config.cluster_lock.empty()) return status_of(0);
  return wire::string{port_.config.cluster_lock};
}

void lock_tests::before_normal(std::function<void(const std::string&)> then) {
  const bool holds_it_itself =
      port_.view().leader == port_.env.self && state_.state == lock_standing::held;
  if (port_.config.cluster_lock.empty() || holds_it_itself || !port_.env.locks) return then({});
  const auto id = ++last_test_;
  const auto begun = port_.env.loop.now();
  const auto ended = [this, id, begun, then = std::move(then)](const lock_answer& a) {
    if (tests_.erase(id) == 0) return;
    took_.testing.add(in_seconds(port_.env.loop.now() - begun));
    if (a.outcome == lock_outcome::taken) {
      port_.env.log.tell(event::cluster_lock_not_held{
          .why = "the leader ends a recovery, but this node could take the lock"});
      return then(std::string(lock_taken_text));
    }
    if (a.outcome == lock_outcome::failed)
      port_.env.log.tell(event::cluster_lock_not_tested{.why = a.why});
    then({});
  };
  tests_[id] = port_.env.locks->claim(
      port_.config.cluster_lock, longest_test,
      {.answered = [to = port_.self,
                    ended](const lock_answer& a) { to.tell(work_ended{[ended, a] { ended(a); }}); },
       .lost = nullptr});
}

void lock_tests::compare_settings(const caller& leader, const replier& answer) {
  if (leader.from == port_.env.self || leader.client) return answer.good();
  const replier compare([this, from = leader.from, answer](const control_answer& a) {
    if (a.status != 0)
      return answer.fail("the leader does not say which cluster lock it has: " + a.text);
    const auto theirs = std::string(a.data.substr(0, a.data.find('\0')));
    const auto& ours = port_.config.cluster_lock;
    if (theirs == ours) return answer.good();
    const auto why =
        fmt::format("the cluster lock of node {}, the leader, is \"{}\", ours is \"{}\"",
                    number(from), theirs, ours);
    port_.env.log.tell(event::cluster_lock_differs{.why = why});
    answer.fail(why);
    port_.self.tell(stop_node{why});
  });
  calls_.ask<control::get_reclock_file>(
      leader.from, {}, std::chrono::seconds(std::max(1U, port_.tunables[tunable::recover_timeout])),
      compare);
}

void lock_tests::changed(cluster_lock_state& m) {
  // CTDB counts the tries that got it
  if (state_.state == lock_standing::taking && m.state == lock_standing::held)
    took_.taking.add(in_seconds(port_.env.loop.now() - since_));
  if (m.state != state_.state) since_ = port_.env.loop.now();
  const bool failing = m.state == lock_standing::failed || m.state == lock_standing::lost;
  const bool trying = m.state == lock_standing::taking;
  if (failing && trouble_.empty()) trouble_since_ = port_.env.loop.now();
  if (!trying) trouble_ = failing ? m.detail : "";
  port_.note(event::cluster_lock{.from = name(state_.state), .to = name(m.state), .why = m.detail});
  state_ = std::move(m);
}

cluster_lock_report lock_tests::report() const {
  return {.setting = port_.config.cluster_lock,
          .state = state_.state,
          .detail = state_.detail,
          .age_ms = in_ms(port_.env.loop.now() - since_),
          // whoever leads holds it: what this node last knew of the lock is out of date then
          .trouble = port_.view().leader == pnn::unknown ? trouble_ : std::string(),
          .trouble_age_ms = in_ms(port_.env.loop.now() - trouble_since_)};
}

}  // namespace floe
