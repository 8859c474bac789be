#pragma once
/// Who is in the cluster and in which state: this node's flags and capabilities, the flags of others as the leader
/// gives them, vnn map and generation, recovery mode, run state.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/membership/left_out.hpp"
#include "actors/node/membership/lock_tests.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/attach.hpp"
#include "actors/node/registry/client_freezes.hpp"
#include "actors/node/registry/registry.hpp"

namespace floe {

class membership {
 public:
  membership(node_port& port, calls& others, registry& databases, attaching& attach,
             client_freezes& freezes, lock_tests& locks);

  void set_mode(recovery_mode, const std::string& why);
  void set_runstate(runstate);
  void set_own_flags(std::uint32_t set, std::uint32_t clear);
  void set_role(std::uint32_t bits, bool on);
  void peer_came(const peer_changed&);
  void peer_went(const peer_changed&);
  void is_absent(const peer_absent&);
  void came_again(const peer_relinked&);
  /// Nobody waits for it any more.
  void peer_lost(pnn);
  void leader_is(pnn);
  /// A client is gone and may have left databases frozen.
  void client_gone(const client_ref&);
  /// Once a second.
  void tick();
  /// Has a recovery ended since the start? Then the node runs.
  void run_if_recovered();
  std::int64_t mode_age_ms() const;
  /// Why the recovery mode is what it is.
  const std::string& mode_why() const { return mode_why_; }
  std::int64_t leader_age_ms() const;
  /// How a node was lost that was there before; nothing: it was never seen, or is there.
  struct loss {
    std::string why;
    loss_kind how = loss_kind::broken;
    std::int64_t age_ms = 0;
    duration silent{};  ///< until now; 0: silence is not how it was lost
  };
  std::optional<loss> lost(pnn) const;
  /// How long ago this node has heard that another one has this flag; -1: it has not.
  std::int64_t flag_age_ms(pnn, std::uint32_t flag) const;
  std::int64_t started_us() const { return started_us_; }
  time_point started() const { return started_; }
  void no_more_timers() { port_.env.loop.cancel(trim_); }

  outcome_of<control::getvnnmap> get_vnnmap() const;
  void set_vnnmap(const request_of<control::setvnnmap>&, const caller&,
                  const answer_to<control::setvnnmap>&);
  outcome_of<control::get_recmode> get_recmode() const;
  void set_recmode(const request_of<control::set_recmode>&, const caller&,
                   const answer_to<control::set_recmode>&);
  void start_recovery(const caller&, const answer_to<control::start_recovery>&);
  void end_recovery(const answer_to<control::end_recovery>&);
  void freeze_all(const caller&, const answer_to<control::freeze>&);
  void modify_flags(const request_of<control::modify_flags>&,
                    const answer_to<control::modify_flags>&);
  outcome_of<control::get_capabilities> get_capabilities() const;
  outcome_of<control::get_incarnation> get_incarnation() const;
  outcome_of<control::set_lmasterrole> set_lmasterrole(const request_of<control::set_lmasterrole>&);
  outcome_of<control::set_recmasterrole> set_recmasterrole(
      const request_of<control::set_recmasterrole>&);
  void disable_node(const answer_to<control::disable_node>&);
  void enable_node(const answer_to<control::enable_node>&);
  outcome_of<control::uptime> get_uptime() const;
  outcome_of<control::get_runstate> get_runstate() const;

 private:
  std::string why_no_map(generation, pnn from) const;
  void take_map(const vnn_map&, const std::optional<std::vector<pnn>>& beside,
                const answer_to<control::setvnnmap>&);
  outcome_of<control::set_recmode> leave_recovery();
  void told_left_out(const caller&, const answer_to<control::freeze>&);
  void came_into_map(pnn);
  void watch_frozen();
  void give_memory_back();
  std::int64_t age_ms(time_point) const;

  node_port& port_;
  calls& calls_;
  registry& databases_;
  attaching& attach_;
  client_freezes& freezes_;
  lock_tests& locks_;
  left_out left_out_;
  struct last_loss {
    std::string why;
    loss_kind how;
    duration silent;
    time_point when;
  };
  time_point started_, mode_since_, leader_since_;
  std::string mode_why_ = "the node has started";
  std::map<pnn, last_loss> lost_;
  std::map<pnn, std::map<std::uint32_t, time_point>> flagged_;  ///< since when, flag by flag
  std::int64_t started_us_ = 0, recovery_started_us_ = 0, recovery_finished_us_ = 0;
  bool broken_since_map_ = false;  ///< a node of the map was lost after the map was set
  std::string
      again_after_map_;  ///< why another recovery follows one that has set its map too early for it
  timer_id trim_{0};
  std::vector<pnn> last_members_;  ///< as the file has them (last_map.hpp)
  bool writing_map_ = false;
  generation reserved_ = generation::invalid;  ///< also in the file: no generation here is later
  const std::shared_ptr<const bool> here_ =
      std::make_shared<const bool>(true);  ///< for what comes later
};

}  // namespace floe
