#pragma once
/// One recovery of the cluster, on the leader: the machine of protocol/rules/cluster_recovery.hpp decides, this actor
/// asks the nodes, starts a db_recoverer for every database, all at once, and keeps everybody informed. It ends with
/// its recovery; the next one is another actor with another epoch.
#include <functional>
#include <map>

#include "actors/environment.hpp"
#include "actors/node/node_message.hpp"
#include "actors/recovery/cluster_survey.hpp"
#include "actors/recovery/db_recoverer.hpp"
#include "actors/recovery/effect_gate.hpp"
#include "actors/recovery/recovery_message.hpp"
#include "actors/recovery/recovery_tally.hpp"

namespace floe {

class database_witness;

struct coordinator_config {
  cluster_plan plan;
  recovery_reason cause{};  ///< why this recovery was started
  std::string reason;       ///< the same for people
  std::string hold;         ///< diagnosis: hold at this phase
  std::size_t buffer_size = 1'000'000;
  database_witness* witness = nullptr;
};

class coordinator final : public actor<coordinator_message> {
 public:
  coordinator(node_environment env, coordinator_config config, view_ptr view,
              address<node_message> node, std::function<void(recovery_result)> ended);
  void start() override;
  void receive(coordinator_message&) override;

 private:
  void on(rec_answer&);
  void on(rec_view&);
  void on(rec_leaves&);
  void on(rec_woke&);
  void on(rec_db_progress&);
  void on(rec_db_held&);
  void on(rec_db_ended&);
  void on(rec_hold&);
  void on(rec_stop&);
  void on(rec_show&);

  void feed(const cluster_input&);
  void run(const cluster_output&);
  template <class Event>
  void note(std::int64_t wall_us, const Event& e, db_id db = db_id{0}) {
    node_.tell(note_event{on_timeline(wall_us, e, db)});
  }
  void act(const cluster_effect::entered&);
  void act(const cluster_effect::ask&);
  void act(const cluster_effect::recover&);
  void act(const cluster_effect::release&);
  void act(const cluster_effect::stop_databases&);
  void act(const cluster_effect::wake&);
  void act(const cluster_effect::deadlock&);
  void act(const cluster_effect::ended&);

  void ask(const cluster_effect::ask&, pnn node, control, bytes data);
  bytes new_map() const;
  void stop_databases();
  void dispute(db_id, const std::vector<evidence>&);
  void differs(std::string_view db, const evidence&);
  void recovered(db_id, db_outcome&);
  void show_progress();
  void report_now();
  std::string report();
  bool is_held(cluster_phase) const;

  node_environment env_;
  coordinator_config config_;
  view_ptr view_;
  address<node_message> node_;
  std::function<void(recovery_result)> ended_;
  cluster_recovery machine_;
  cluster_survey survey_;
  std::map<db_id, address<db_recoverer_message>> recoverers_;
  std::map<db_id, db_progress> progress_;
  recovery_tally tally_;
  effect_gate<cluster_output> gate_;
  std::optional<cluster_effect::deadlock> deadlock_;
  std::int64_t started_us_ = 0, phase_since_us_ = 0;
  time_point shown_{};
  bool report_planned_ = false;
};

}  // namespace floe
