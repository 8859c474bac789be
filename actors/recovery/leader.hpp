#pragma once
/// Leadership, on every node: takes part in elections, says or hears who leads, and on the leader decides when a
/// recovery is needed and runs it. Driven by events (a connection breaks, flags change, somebody asks) and, as a net
/// below them, by a look at all nodes every RecoverInterval. Who leads and whether data needs recovery are two
/// questions: an election alone recovers nothing.
///
/// In a cluster of floe nodes only, votes are settled in tenths of a second; as soon as a ctdbd takes part, its
/// delays apply. With a cluster lock nobody votes: who holds it leads (leader_lock.cpp).
#include <map>
#include <optional>
#include <set>
#include <span>

#include "actors/environment.hpp"
#include "actors/lock/cluster_lock.hpp"
#include "actors/node/node_config.hpp"
#include "actors/node/node_message.hpp"
#include "actors/recovery/leader_message.hpp"
#include "actors/recovery/recovery_message.hpp"
#include "protocol/rules/ban.hpp"
#include "protocol/rules/ban_end.hpp"
#include "protocol/rules/election.hpp"
#include "protocol/rules/need_recovery.hpp"
#include "protocol/types/fwd.hpp"

namespace floe {

struct leader_config {
  duration leader_timeout{std::chrono::seconds(5)};
  bool freeze_all_first = false;
  tunable_list tunables;
  std::string cluster_lock{};  ///< the setting; empty: none
};
leader_config leader_config_of(const node_config&);

class leader final : public actor<leader_message> {
 public:
  leader(node_environment env, leader_config config, view_ptr view, address<node_message> node);
  ~leader() override;
  void start() override;
  void receive(leader_message&) override;

 private:
  void on(leader_view&);
  void on(leader_heard&);
  void on(leader_wanted&);
  void on(leader_tunables&);
  void on(leader_hold&);
  void on(leader_timer&);
  void on(leader_answer&);
  void on(leader_stop&);

  // elections
  void vote(const election_input&);
  void act(const election_effect::arm&);
  void act(const election_effect::send_leader&);
  void act(const election_effect::send_vote&);
  void act(const election_effect::leader_changed&);
  void act(const election_effect::send_term&);
  void act(const election_effect::take_lock&);
  void act(const election_effect::release_lock&);
  void act(const election_effect::contradicted&);
  standing own_standing() const;
  bool only_floe() const;
  void learn_about(pnn);
  void remember(generation);

  // the cluster lock
  void lock_answered(std::uint64_t serial, const lock_answer&);
  void lock_lost(std::uint64_t serial, const std::string& why);
  void check_lease();
  void check_own_pulse();
  void drop_lock();
  void show_lock(std::string_view state, std::string detail = {});

  // what the leader looks after
  struct look {  ///< what one node said in one look around
    std::optional<std::uint32_t> flags;  ///< its own opinion about itself
    std::vector<std::uint32_t> others;   ///< its opinion about all
    std::optional<recovery_mode> mode;
    std::optional<generation> gen;
    std::vector<pnn> map;
    std::optional<std::uint32_t> capabilities;
    unsigned missing = 0;
  };
  void tick();
  void look_around();
  void look_done();
  void synchronise_flags();
  recovery_need need() const;
  bool mesh_grows() const;
  void consider(std::string why);
  void recover_if_allowed();
  void recover(const std::string& why);
  void recovery_ended(const recovery_result&);

  // leader_bans.cpp
  void charge(const evidence& why, unsigned credits);
  void banning_heard(const req_message&);
  void blame(const recovery_result&);
  void ban(const ban_verdict&, ban_cause, std::optional<generation> attempt);
  void send_ban(pnn, const std::string& why, ban_cause);
  void ban_done(pnn);
  void look_at_participant(pnn);

  /// `patience` 0: RecoverTimeout.
  void ask(pnn, control, bytes data, std::function<void(control_answer)> then, duration patience = duration{0});
  bool inactive() const;
  std::vector<pnn> connected() const;

  // requests.cpp
  static std::span<const srvid> request_srvids();
  static bytes number_answer(pnn);
  void requested(const req_message&);
  void answer(const srvid_message& whom, bytes data);
  void takeover_run(const srvid_message&);
  void serve_takeovers();
  void disable_recoveries(const srvid_message&, std::uint32_t seconds);
  void dump_memory(const srvid_message&);
  void consider_again();

  node_environment env_;
  leader_config config_;
  view_ptr view_;
  address<node_message> node_;
  election election_;
  std::uint64_t born_us_;
  std::map<std::uint64_t, election_event::fired> armed_;
  std::uint64_t last_timer_ = 0;
  std::set<pnn> floe_nodes_;
  std::set<pnn> say_terms_;  ///< nodes that number their terms of office: their other claims say less
  std::unique_ptr<lock_claim> claim_;  ///< the cluster lock, or the try for it
  std::uint64_t claim_serial_ = 0;
  std::string lock_trouble_;  ///< the last error, until the lock answers

  std::map<pnn, look> looks_;
  std::uint64_t look_ = 0;
  bool looking_ = false;
  bool look_again_ = false;
  timer_id tick_timer_{0}, retry_timer_{0};

  address<coordinator_message> coordinator_;
  std::uint64_t epoch_ = 0;
  std::string wanted_;  ///< why a recovery is still owed
  std::vector<generation> seen_;  ///< the latest ones, also of recoveries that others led
  unsigned failures_in_a_row_ = 0;
  bool resting_ = false;  ///< after a failure, before the next attempt
  bool paused_ = false;   ///< somebody has asked for no recoveries for a while
  timer_id pause_timer_{0};
  std::string hold_;
  struct waiting_takeover {
    time_point until;
    pnn who;
    srvid answer_to;
  };
  std::vector<waiting_takeover> waiting_takeovers_;

  ban_ledger ledger_;
  std::set<pnn> being_banned_;
  time_point recovery_began_;
  time_point last_arrival_{};  ///< of a node
  time_point last_turn_;       ///< something to do, at least once a second
};

}  // namespace floe
