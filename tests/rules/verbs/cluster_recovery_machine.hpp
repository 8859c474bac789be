#pragma once
/// The recovery of the cluster (protocol/rules/cluster_recovery.hpp) in a rule script, nodes that play their parts, and
/// recoveries of databases that end as the script says: by default everybody does at once what he is asked for.
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "protocol/rules/cluster_recovery.hpp"
#include "tests/rules/verbs/played_machine.hpp"

namespace floe::rule_script {

/// What a node tells of itself.
struct cluster_member {
  std::uint32_t flags = 0;
  std::uint32_t capabilities = 0;
  generation gen{10};
  std::vector<pnn> map{};
  std::vector<cluster_event::listed::entry> databases{{.db = db_id{1}}, {.db = db_id{2}}};
};

/// What a node does in one phase instead of obeying.
struct cluster_behaviour {
  enum class kind : std::uint8_t { fails, silent, gone };
  pnn node{0};
  cluster_phase phase{};
  kind does{};
  failure_cause cause{};
  std::string detail{};
  std::vector<cluster_event::listed::entry> attaches{};  ///< meanwhile
  unsigned left = ~0U;                                   ///< so many times
};

/// How the recovery of a database ends.
struct database_end {
  enum class kind : std::uint8_t { ends, goes_on, held };
  db_id db{0};
  kind does{};
  cluster_event::db_ended how{};
  unsigned left = ~0U;
};

struct cluster_recovery_machine final : played_machine {
  cluster_recovery_machine(world& w, const std::vector<pnn>& nodes);

  cluster_recovery m;
  cluster_plan plan{};
  std::map<pnn, cluster_member> nodes;
  std::vector<cluster_behaviour> others;
  std::vector<database_end> ends;
  std::vector<cluster_effect::wake> alarms;
  std::deque<cluster_output> pending;  ///< not played yet
  time_point& now;

  bool feed(words&, std::string& out) override;
  std::string state() const override;
  std::vector<std::string_view> events() const override;

  void put(const cluster_input&, std::string& out);
  bool has_pending() const override { return !pending.empty(); }
  void play_next(std::string& out) override;
  std::string path() override;
  std::string_view phase() const override { return floe::name(m.phase()); }
  std::span<const evidence> failures() const override { return m.failures(); }

 private:
  void answer(const cluster_effect::ask&, pnn, std::string& out);
  void recover(const db_plan&, std::string& out);
};

}  // namespace floe::rule_script
