#pragma once
/// What the steps of the story share: the cluster, smbd, the two databases as they ought to be, and
/// the ways to look and to wait. See two_locks.hpp for the story.
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/cluster/layout.hpp"
#include "cli/replay/puppet.hpp"
#include "cli/replay/records.hpp"
#include "cli/replay/report.hpp"
#include "cli/replay/stage.hpp"
#include "cli/replay/two_locks.hpp"
#include "cli/timeline/picture.hpp"

namespace floe::cli {

/// A node's report, in the terms of this story.
struct node_view {
  nlohmann::json report;
  bool is_normal() const;
  std::uint32_t generation() const;
  std::optional<std::size_t> leader() const;
  /// Null if it leads no recovery.
  nlohmann::json recovery() const;
  nlohmann::json database(const std::string& name) const;
  std::string state(const std::string& db) const;
};

struct world {
  explicit world(two_locks_options o) : options(std::move(o)), report(options.silent) {}

  static constexpr std::size_t nodes = 3;
  static constexpr std::size_t home = 0;    ///< smbd's node
  static constexpr std::size_t victim = 1;  ///< is killed
  static constexpr std::size_t far = 2;     ///< leads, and has the record that smbd wants
  static constexpr duration patience = std::chrono::seconds(30);

  two_locks_options options;
  story_report report;
  local_cluster cluster;
  std::vector<pid_t> pids;  ///< 0: not started
  stage scene{nodes};
  std::unique_ptr<puppet> smbd;
  database_content locking{.name = "locking.tdb", .records = {}};
  database_content brlock{.name = "brlock.tdb", .records = {}};
  bytes first_key, second_key;          ///< of locking, of brlock
  std::string first_line, second_line;  ///< what smbd is told
  std::uint32_t old_generation = 0, new_generation = 0;
  time_point killed_at;
  std::int64_t killed_us = 0, ended_us = 0;
  timeline_picture picture;
  std::vector<std::string> cycle;
  bool out_of_time = false;  ///< something was waited for in vain

  /// One expectation; `ms` < 0: no time to tell. Nothing more is said after Ctrl-C.
  bool expect(bool held, std::string_view text, double ms = -1);
  time_point now() { return scene.loop().now(); }
  double since(time_point t) const { return scene.ms_since(t); }

  bool await(const std::function<bool()>& pleases);
  std::optional<node_view> view(std::size_t node);
  bool await_view(std::size_t node, const std::function<bool(const node_view&)>& pleases);

  bool start_node(std::size_t);
  bool become_healthy();
  bool connect();
  /// Makes recoveries wait at this phase; empty: no more.
  bool hold_recovery(const std::string& phase);
  /// The answer to this line, once it is there.
  const puppet::answer* smbd_answer(const std::string& line);
  bool smbd_does(const std::string& line);
  std::vector<timed_event> events_since_kill(const std::vector<std::size_t>& nodes);
};

/// A value of 200 bytes that says what it is.
bytes value_of(const bytes& key, const std::string& db, const std::string& word);

// The steps; each false if there is no use in going on.
bool start_and_fill(world&);       ///< 1
bool lose_a_node(world&);          ///< 2
bool want_second_lock(world&);     ///< 3, first half
bool get_second_lock(world&);      ///< 3, second half
bool find_the_deadlock(world&);    ///< 3, second half, if all databases are frozen together
bool write_and_let_go(world&);     ///< 4
bool bring_the_node_back(world&);  ///< 5

}  // namespace floe::cli
