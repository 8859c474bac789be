#pragma once
/// Leadership, on every node: takes part in elections, says or hears who leads, and on the leader decides when a
/// recovery is needed and runs it. Driven by events (a connection breaks, flags change, somebody asks) and, as a net
/// below them, by a round of questions to all nodes every RecoverInterval. Who leads and whether data needs recovery are
/// two questions: an election alone recovers nothing. Both are decided by machines, protocol/rules/election.hpp and
/// leader_watch.hpp; this actor asks and tells for them.
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
#include "actors/node/pulse.hpp"
#include "actors/recovery/leader_message.hpp"
#include "actors/recovery/recovery_message.hpp"
#include "protocol/rules/ban.hpp"
#include "protocol/rules/ban_end.hpp"
#include "protocol/rules/election.hpp"
#include "protocol/rules/leader_watch.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/database.hpp"

namespace floe {

struct leader_config {
  duration leader_timeout{std::chrono::seconds(5)};
  bool freeze_all_first = false;
  bool verify_recoveries = false;
  tunable_list tunables;
  std::string cluster_lock{};  ///< the setting; empty: none
  std::string state_dir{};     ///< where the lives of this node are numbered; empty: nowhere
  quorum_rule quorum = quorum_rule::lock;
  database_witness* witness = nullptr;
  std::shared_ptr<node_pulse> pulse{};  ///< of the node
};
leader_config leader_config_of(const node_config&, std::shared_ptr<node_pulse>);

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
  void on(leader_woke&);
  void on(leader_pause_over&);
  void on(leader_answer&);
  void on(leader_lock_answered&);
  void on(leader_lock_lost&);
  void on(leader_lock_released&);
  void on(leader_recovered&);
  void on(leader_stop&);

  // elections
  void vote(const election_input&);
  void act(const election_effect::arm&);
  void act(const election_effect::send_leader&);
  void act(const election_effect::send_vote&);
  void act(const election_effect::leader_changed&);
  void act(const election_effect::send_term&);
  void act(const election_effect::say_who_leads&);
  void act(const election_effect::take_lock&);
  void act(const election_effect::release_lock&);
  void act(const election_effect::contradicted&);
  standing own_standing() const;
  bool outnumbered() const;
  bool too_few() const;
  part_verdict part() const;
  bool only_floe() const;
  void learn_about(pnn);
  void remember(generation);

  // the cluster lock
  void lock_answered(std::uint64_t serial, const lock_answer&);
  void tell_if_slow(lock_outcome) const;
  void lock_lost(std::uint64_t serial, const std::string& why);
  void check_lease();
  void check_own_pulse();
  void check_cut_off();
  void drop_lock();
  void show_lock(lock_standing, std::string detail = {});

  // what the leader looks after
  void watch(const watch_input&);
  void look_at_part(const part_verdict&);
  void tell_what_waits(const part_verdict&);
  void act(const watch_effect::poll&);
  void act(const watch_effect::align_flags&);
  void act(const watch_effect::weigh&);
  void act(const watch_effect::charge&);
  void act(const watch_effect::recover&);
  void act(const watch_effect::stop_recovery&);
  void act(const watch_effect::succeeded&);
  void act(const watch_effect::blame&);
  void act(const watch_effect::wake&);
  void tick();

  // answers
  void answered(const question::nothing&, const control_answer&) {}
  void answered(const question::poll&, const control_answer&);
  void answered(const question::is_floe&, const control_answer&);
  void answered(const question::ban_generation&, const control_answer&);
  void answered(const question::ban_flags&, const control_answer&);
  void answered(const question::banned&, const control_answer&);
  void answered(const question::participant&, const control_answer&);
  void answered(const question::participant_leaves&, const control_answer&);
  void answered(const question::participant_known&, const control_answer&);
  void answered(const question::own_flags&, const control_answer&);
  void answered(const question::takeover&, const control_answer&);
  void answered(const question::memory&, const control_answer&);
  void answered(const question::contents&, const control_answer&);
  void answered(const question::joining&, const control_answer&);

  // leader_joiners.cpp
  void weigh_them();
  void weighed();

  // leader_bans.cpp
  void charge(const evidence& why, unsigned credits);
  void banning_heard(const req_message&);
  void ban(const ban_verdict&, ban_cause, std::optional<generation> attempt);
  void look_at_participant(pnn);
  void ask_inactive_ones();

  /// `patience` 0: RecoverTimeout.
  void ask(pnn, control, bytes data, leader_question about, duration patience = duration{0});
  bool inactive() const;
  std::vector<pnn> connected() const;
  /// Onto the node's timeline and into its log.
  template <class Event>
  void note(const Event& e) {
    node_.tell(note_event{on_timeline(env_.loop.wall_us(), e)});
  }

  // requests.cpp
  static std::span<const srvid> request_srvids();
  static bytes number_answer(pnn);
  void requested(const req_message&);
  void answer(const srvid_message& whom, bytes data);
  void takeover_run(const srvid_message&);
  void serve_takeovers();
  void disable_recoveries(const srvid_message&, std::uint32_t seconds);
  void recover_as_asked(const srvid_message&, bool whole, bool verify);
  void answer_who_asked(const recovery_result&);
  void dump_memory(const srvid_message&);

  node_environment env_;
  leader_config config_;
  view_ptr view_;
  address<node_message> node_;
  election election_;
  std::uint64_t born_us_;
  std::map<std::uint64_t, election_event::fired> armed_;
  std::uint64_t last_timer_ = 0;
  std::set<pnn> floe_nodes_;
  std::set<pnn>
      say_terms_;  ///< nodes that number their terms of office: their other claims say less
  std::unique_ptr<lock_claim> claim_;  ///< the cluster lock, or the try for it
  std::uint64_t claim_serial_ = 0;
  time_point claim_since_{};  ///< when it was begun
  std::string lock_trouble_;  ///< the last error, until the lock answers

  leader_watch watch_;
  std::map<pnn, node_look> looks_;  ///< of the round that is out
  std::size_t looks_missing_ = 0;   ///< answers that it still waits for
  bool part_told_ = false;          ///< that a recovery has to wait
  std::set<pnn> without_content_;   ///< as they said last: restarted, or never recovered
  timer_id tick_timer_{0}, rest_timer_{0}, pause_timer_{0};
  /// Nodes that are not in the map, while it is asked what they lack.
  struct weighing {
    std::uint64_t number = 0;
    std::vector<pnn> nodes;
    std::map<pnn, std::vector<db_content_entry>> contents;  ///< theirs, and ours
    std::size_t missing = 0;                                ///< answers
    std::vector<pnn> filled_first;
  } weighing_;

  address<coordinator_message> coordinator_;
  /// How a recovery is wanted, and by whom.
  struct asked_for {
    bool whole = false, verify = false;
    std::vector<srvid_message> who;
  };
  asked_for asked_next_, asked_;         ///< of the next recovery, and of the one that runs
  std::string differed_;                 ///< contents, in recoveries since the last good one
  std::vector<evidence> last_failures_;  ///< of the last recovery, with its generation
  generation last_attempt_ = generation::invalid;
  std::uint32_t life_ = 0;        ///< of this process
  std::vector<generation> seen_;  ///< the latest ones, also of recoveries that others led
  std::string hold_;
  struct waiting_takeover {
    time_point until;
    pnn who;
    srvid answer_to;
  };
  std::vector<waiting_takeover> waiting_takeovers_;
  struct takeover {
    srvid_message whom;
    std::size_t missing;
  };
  std::map<std::uint64_t, takeover> takeovers_;  ///< under way
  std::uint64_t last_takeover_ = 0;

  ban_ledger ledger_;
  struct planned_ban {
    std::string why;
    ban_cause cause;
    std::optional<generation> attempt;  ///< that it is said to have spoiled
  };
  std::map<pnn, planned_ban> planned_bans_;
  time_point recovery_began_;
  std::optional<time_point> last_loss_;  ///< of a node that may be alive
  time_point begun_;                     ///< this process
  time_point last_turn_;                 ///< something to do, at least once a second
  std::uint64_t cut_offs_ = 0;           ///< of the node's pulse, as of the last turn
};

}  // namespace floe
