#pragma once
/// The world of one run of a drill: the testbed it is played on, its clients and workloads, what has
/// happened so far, and what the drill's chance decides.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/history.hpp"
#include "cli/drill/language/script.hpp"
#include "cli/drill/run/drill_client.hpp"
#include "cli/drill/run/log_reader.hpp"
#include "cli/drill/run/workload.hpp"
#include "cli/drill/testbed/node_report.hpp"
#include "cli/drill/testbed/real/ctdbd_probe.hpp"
#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli::drill {

class drill_run {
 public:
  using trace_sink = std::function<void(const std::string& line)>;

  drill_run(std::unique_ptr<testbed>, std::uint64_t seed, trace_sink);
  ~drill_run();

  /// Starts all nodes.
  outcome open();

  testbed& cluster() { return *cluster_; }
  time_us now() const { return cluster_->now_us(); }
  /// Below `n`, by the drill's chance.
  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(chance_() % n); }
  bool tracing() const { return trace_ != nullptr; }
  void note(std::string_view who, std::string_view text) { note_at(now(), who, text); }

  // Looking at nodes takes a little virtual time: they are asked, and answer.
  /// Asks every node that can answer.
  void poll_nodes();
  const node_report& report_of(std::size_t n) const { return reports_[n]; }
  /// All that every node that can answer says of itself, with who holds which lock; a ctdbd says nothing.
  std::vector<std::string> full_reports();
  /// As most nodes see it, after poll_nodes.
  std::optional<std::size_t> leader() const;
  /// Nothing, or what keeps these nodes (empty: all that can answer) from being NORMAL together.
  std::optional<std::string> not_normal(const std::vector<std::size_t>& nodes);
  /// Looks again and again, at most for so long.
  bool wait_until(const std::function<bool()>& done, duration limit);

  // What is done to nodes, with its consequences for what may be expected of them.
  outcome start(std::size_t n);
  outcome kill(std::size_t n);
  outcome shut_down(std::size_t n);
  outcome pause(std::size_t n);
  outcome resume(std::size_t n);
  /// From now on, what only this node has may be lost.
  void disturb(std::size_t n, std::string_view what, fault_kind);
  /// The cluster is cut in two.
  void disturb_sides(const std::vector<std::size_t>& side);
  /// The way between two nodes is no longer good: they may take each other for lost, and then one of them is out.
  void set_link(std::size_t a, std::size_t b, const link_quality&);
  /// The network is whole again.
  void heal();
  /// An order to a node through a client of its own; waits for the answer.
  outcome order(std::size_t n, control, const bytes& request);
  /// Asks whichever floe node leads for a recovery, of everything, or after which contents are compared; through a client of this
  /// node, which waits for nothing.
  outcome ask_leader(std::size_t n, bool whole, bool verify);
  /// Holds recoveries of whichever node leads; empty: releases.
  outcome hold(const std::string& phase);

  drill_client& client(const std::string& name) { return *clients_.at(name); }
  bool has_client(const std::string& name) const { return clients_.contains(name); }
  outcome add_client(const std::string& name, std::size_t node);
  void remove_client(const std::string& name);
  void add_workload(workload_options);
  /// Ends all workloads and waits for what is under way.
  outcome quiet(duration limit);
  outcome attach(const std::string& db, std::size_t node, db_kind);
  /// Writes records through clients of all nodes that can answer.
  outcome fill(const std::string& db, std::size_t records, std::size_t bytes);

  // What operators do.
  outcome wipe(const std::string& db);
  /// The content is replaced by records s0, s1 ..., as by a backup; takes no client's time.
  outcome restore(const std::string& db, std::size_t records, std::size_t bytes);
  outcome detach(const std::string& db);
  outcome add_node();
  outcome delete_node(std::size_t n);
  outcome reload_nodes();
  /// As a client of this node reads it; empty: there is no such record.
  std::expected<std::string, std::string> value_of(std::size_t n, const std::string& db,
                                                   const std::string& key);
  const log_reader& logs() const { return logs_; }

  /// Undoes all faults, ends all clients, waits for NORMAL, and looks at every record on every node.
  void aftermath(duration bound);

  /// Told of every line that a node logs; empty: nobody listens.
  std::function<void(std::size_t node, std::string_view line)> on_log;
  history past;
  observations seen;
  double patience = 1;  ///< see script
  std::size_t it = 0;   ///< the node that was named last
  std::map<std::string, std::size_t> named_nodes;
  std::set<std::size_t> stopped_nodes, banned_nodes;  ///< by the drill
  std::set<std::pair<control, std::size_t>>
      roles_off;                  ///< nodes that may not lead, or not track records
  std::set<std::string> dropped;  ///< databases that were detached
  std::set<std::size_t> deleted_nodes;
  time_us marked = 0;          ///< what is measured and counted begins here
  bool lossless = false;       ///< no loss is explained by anything
  bool bans_allowed = false;   ///< nodes may ban each other in this drill
  std::uint64_t writes = 0;    ///< acknowledged ones of workloads
  std::uint64_t failures = 0;  ///< operations that were refused or whose end is unknown

 private:
  void note_at(time_us, std::string_view who, std::string_view text);
  void await_everywhere(const std::string& db);
  void tap(std::string_view to, std::uint64_t stream, const bytes& packet);
  void undo_faults();
  void final_looks();
  void look_at_copies(const std::vector<std::pair<std::string, std::string>>& records);
  std::optional<std::uint32_t> resting_generation();
  void observe(std::size_t n);
  std::expected<std::size_t, std::string> some_node();
  bool may_be_banned(std::size_t n) const;
  outcome replace(const std::string& db, std::optional<seeded_content>);
  drill_client& observer(std::size_t n) { return *observers_[n]; }

  void lost_behind_bad_link(std::size_t by, std::string_view line);

  std::set<std::pair<std::size_t, std::size_t>> bad_links_;
  trace_sink trace_;
  std::mt19937_64 chance_;
  log_reader logs_;
  std::unique_ptr<testbed> cluster_;
  std::vector<node_report> reports_;
  std::vector<std::unique_ptr<drill_client>> observers_;
  std::vector<std::unique_ptr<ctdbd_probe>>
      probes_;  ///< none for floe nodes, which tell by themselves
  std::map<std::string, std::unique_ptr<drill_client>> clients_;
  std::vector<std::unique_ptr<workload>> workloads_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, int>
      questions_;  ///< of clients: stream and number
  std::uint64_t poll_round_ = 0;
  std::uint64_t filled_ = 0;
  std::uint64_t cuts_ = 0;
};

}  // namespace floe::cli::drill
