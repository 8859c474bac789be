/// The cluster lock where it concerns the node and not its leader: the tests that CTDB's nodes make
/// in a recovery, and what is said about it.
///
/// Facts: Samba ctdb/server/ctdb_recover.c (test of the lock before recovery mode NORMAL,
/// comparison of settings at START_RECOVERY). Different here: a node that cannot ask for the lock
/// lets the recovery go on, since the test protects from a lock that excludes nobody, and an error
/// shows none.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr duration longest_test = std::chrono::seconds(5);

}  // namespace

bool node::lacks_cluster_lock() const {
  std::size_t nodes = 0;
  for (const auto& n : view_->nodes) nodes += (n.flags & node_flag::deleted) == 0;
  return nodes > 1 && config_.cluster_lock.empty();
}

void node::get_reclock_file(const control_request& r) {
  if (config_.cluster_lock.empty()) return r.answer.good();
  r.answer.good(wire::encode(wire::string{config_.cluster_lock}));
}

/// Before NORMAL: if this node can take the lock, the leader does not hold it, and there may be
/// another one.
void node::test_cluster_lock(const control_request& r) {
  const bool holds_it_itself = view_->leader == env_.self && lock_.state == "held";
  if (config_.cluster_lock.empty() || holds_it_itself || !env_.locks) return leave_recovery(r);
  const auto id = ++last_lock_test_;
  const auto ended = [this, id, r](const lock_answer& a) {
    if (lock_tests_.erase(id) == 0) return;
    if (a.outcome == lock_outcome::taken) {
      env_.log.error(
          "cluster-lock-not-held why=\"the leader ends a recovery, but this node could take the "
          "lock\"");
      return r.answer.fail(
          "Took cluster lock from leader during recovery: the leader does not hold it");
    }
    if (a.outcome == lock_outcome::failed)
      env_.log.warning(fmt::format("cluster-lock-not-tested why=\"{}\"", a.why));
    leave_recovery(r);
  };
  lock_tests_[id] = env_.locks->claim(
      config_.cluster_lock, longest_test,
      {.answered = [to = self(), ended](
                       const lock_answer& a) { to.tell(lock_tested{[ended, a] { ended(a); }}); },
       .lost = nullptr});
}

void node::on(lock_tested& m) { m.then(); }

/// Nodes that believe in different locks do not exclude each other: as with ctdbd, the one that
/// differs from the leader takes itself down.
void node::compare_cluster_lock(const control_request& r) {
  if (r.from == env_.self || r.client) return r.answer.good();
  const replier compare([this, from = r.from, answer = r.answer](const control_answer& a) {
    if (a.status != 0)
      return answer.fail("the leader does not say which cluster lock it has: " + a.text);
    auto theirs = std::string(a.data.substr(0, a.data.find('\0')));
    if (theirs == config_.cluster_lock) return answer.good();
    const auto why =
        fmt::format("the cluster lock of node {}, the leader, is \"{}\", ours is \"{}\"",
                    number(from), theirs, config_.cluster_lock);
    env_.log.error(fmt::format("cluster-lock-differs why={}", why));
    answer.fail(why);
    self().tell(stop_node{});
  });
  call(r.from, control::get_reclock_file, {}, floe::srvid{0}, 0, 0,
       std::chrono::seconds(std::max(1U, tunables_[tunable::recover_timeout])), compare);
}

void node::on(cluster_lock_state& m) {
  if (m.state != lock_.state) lock_since_ = env_.loop.now();
  note("cluster-lock",
       fmt::format("{}->{}{}{}", lock_.state, m.state, m.detail.empty() ? "" : " why=", m.detail));
  lock_ = std::move(m);
}

std::string node::cluster_lock_json() const {
  if (config_.cluster_lock.empty()) return "null";
  const auto age =
      std::chrono::duration_cast<std::chrono::milliseconds>(env_.loop.now() - lock_since_);
  return nlohmann::json{{"setting", config_.cluster_lock},
                        {"state", std::string(lock_.state)},
                        {"age_ms", age.count()},
                        {"detail", lock_.detail}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace floe
