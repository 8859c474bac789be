#pragma once
/// Carries out the recovery of one database on the leader: the machine of protocol/rules/db_recovery.hpp decides,
/// this actor sends its controls, takes in the pulled records, merges them and sends out the winners.
///
/// Records are taken in as they arrive and merged while other nodes still send, if every stream is in key order
/// (floe's are); what is kept is the winners, as the very buffers that are pushed.
///
/// Files: db_recoverer.cpp (life, holds, what it shows), db_controls.cpp (what each phase asks nodes for), db_pull.cpp (whole
/// copies come in), difference.cpp (what has changed comes in), db_push.cpp (the winners go out).
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "actors/environment.hpp"
#include "actors/node/node_message.hpp"
#include "actors/recovery/effect_gate.hpp"
#include "actors/recovery/merged_difference.hpp"
#include "actors/recovery/recovery_message.hpp"
#include "protocol/types/rec_data.hpp"
#include "storage/difference.hpp"
#include "storage/merge.hpp"

namespace floe {

class database_witness;

struct db_recoverer_config {
  pnn leader{0};
  std::uint64_t srvid_base = 0;  ///< a range of srvids that nobody else uses: +0 .. +0xffff
  std::set<pnn> sorted_senders;  ///< nodes that send records in key order
  std::size_t buffer_size = 1'000'000;
  std::string hold;  ///< diagnosis: "phase" or "phase@database"
  database_witness* witness = nullptr;
};

class db_recoverer final : public actor<db_recoverer_message> {
 public:
  db_recoverer(node_environment env, db_recoverer_config config, address<node_message> node,
               address<coordinator_message> coordinator);
  ~db_recoverer() override;
  void receive(db_recoverer_message&) override;

 private:
  struct source {
    floe::srvid srvid{0};
    std::uint64_t arrived = 0;
    bool ended = false;
    std::string error;
  };

  void on(dbr_start&);
  void on(dbr_node_gone&);
  void on(dbr_release&);
  void on(dbr_hold&);
  void on(dbr_stop&);

  void feed(const db_input&);
  void run(const db_output&);
  void act(const db_effect::entered&);
  void act(const db_effect::ask&);
  void act(const db_effect::held&);
  void act(const db_effect::ended&);

  bool took_part(pnn) const;
  bool is_held(db_phase) const;
  void show_progress();
  void show_progress_now_and_then();
  double share_done() const;
  db_outcome outcome() const;
  void tell_witness() const;

  // db_controls.cpp
  std::uint32_t freeze_flags(pnn node) const;
  std::pair<bytes, std::uint32_t> request_of(db_phase, pnn node) const;
  void ask(const db_effect::ask&, pnn node);
  void on(dbr_answer&);
  bool read_answer(pnn, db_phase, byte_view data, db_event::answered&);
  bool end_source(pnn, db_event::answered&);
  void tell_past(pnn, duration timeout);
  bool take_number(pnn, byte_view data, db_event::answered&);
  void ask_health(pnn, std::uint64_t seqnum);
  void on(dbr_health&);

  // db_pull.cpp
  void start_pull(const db_effect::ask&);
  void listen(const db_effect::ask&);
  void stop_pull();
  void on(dbr_records&);
  void take_winners();
  void emit_winner(const record_copy&);
  void act(const db_effect::merge&);

  // difference.cpp
  bool is_pulled_whole(pnn) const;
  const key_touches& touches(pnn member, std::uint32_t age);
  void start_difference(const db_effect::ask&);
  bool take_mark(pnn from, bool is_member, std::uint32_t age, const std::optional<record_view>&);
  void take_difference(const dbr_records&, const rec_buffer&, source&);
  void act(const db_effect::compare&);
  void merge_difference(const db_effect::merge&);
  void on(dbr_merged&);

  // db_push.cpp
  void act(const db_effect::push&);
  void push_more(pnn to);
  void on(dbr_written&);
  void on(dbr_push_late&);

  struct target {
    std::vector<frame> buffers;
    std::size_t next = 0;
    unsigned in_flight = 0;
  };

  node_environment env_;
  db_recoverer_config config_;
  address<node_message> node_;
  address<coordinator_message> coordinator_;
  db_recovery machine_;
  std::string damage_;                 ///< of a copy that is not whole
  std::map<pnn, content_past> pasts_;  ///< as told with the sequence numbers
  std::unique_ptr<record_merge> merge_;
  std::map<pnn, source> sources_;
  std::uint64_t srvids_used_ = 0;
  floe::srvid push_srvid_{0};
  std::unique_ptr<rec_buffer_builder> builder_;
  std::vector<parcel_of_winners> parcels_;  ///< the winners, as they are pushed
  std::unique_ptr<difference_merge> difference_;
  std::map<pnn, bytes> asked_;                    ///< keys whose copies are needed, as a rec_buffer
  std::map<pnn, std::vector<rec_buffer>> whole_;  ///< contents, as views into what the merge keeps
  std::map<std::pair<pnn, std::uint32_t>, key_touches> touches_;
  std::vector<pnn> strangers_;  ///< of this run
  bool somebody_returns_ = false;
  db_outcome outcome_;
  std::int64_t started_us_ = 0;
  std::uint64_t winners_ = 0;
  std::map<pnn, target> targets_;
  timer_id push_timer_{0};
  effect_gate<db_output> gate_;
  std::int64_t phase_since_us_ = 0;
  time_point shown_;
};

}  // namespace floe
