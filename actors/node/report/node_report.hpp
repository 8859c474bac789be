#pragma once
/// What a node tells about itself as JSON, behind `floe status`, `floe locks` and `floe timeline`. Pure: a snapshot
/// goes in, text comes out. Times in microseconds since 1970, ages in milliseconds.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster_view.hpp"
#include "actors/database/database_message.hpp"
#include "actors/event_line.hpp"
#include "actors/node/joining/joiner.hpp"
#include "actors/node/membership/bans.hpp"
#include "actors/node/membership/lock_tests.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

/// What a node keeps for others, in pieces or bytes.
struct memory_report {
  std::uint64_t resident = 0;  ///< bytes of the whole process
  std::size_t clients = 0, databases = 0;
  std::size_t controls = 0;  ///< sent to other nodes, without an answer yet
  std::size_t requests = 0;  ///< for records of other nodes
  std::size_t registrations = 0, notifications = 0, notification_bytes = 0;
  std::size_t tcp_connections = 0, timeline_events = 0;
  struct {
    std::size_t requests = 0, bytes = 0, locks = 0;
  } of_clients;  ///< requests that somebody keeps, with their bytes, and record locks
  struct {
    std::uint64_t client = 0;
    std::int64_t pid = 0;
    std::string name;
    std::size_t requests = 0, bytes = 0, locks = 0;
  } most;  ///< the client that holds most; 0: there is none
  std::size_t traverses = 0;
};

/// Why a node is not connected.
struct absence {
  std::string_view kind;  ///< "shut-down", "ended", "silent", "kept-out", "never-seen"
  std::string text;       ///< "does not answer: no sign of life for 12.5 s"
  std::string next;       ///< what to try
  std::int64_t age_ms = 0;
};

struct status_snapshot {
  view_ptr view;
  std::string address;
  std::int64_t mode_age_ms = 0, leader_age_ms = 0, started_us = 0, now_us = 0;
  std::string mode_why;  ///< of the present recovery mode
  std::size_t clients = 0;
  std::uint32_t num_recoveries = 0;
  std::string recovery;       ///< JSON of the leader's recovery; empty: none runs
  std::string last_recovery;  ///< JSON of the last one that this node led to its end
  recovered_counts recovered;
  std::vector<std::string> recovery_failures;  ///< of the last one that this node led, if it failed
  cluster_lock_report lock;
  quorum_rule quorum = quorum_rule::lock;
  bool lacks_lock = false;  ///< several nodes and no lock
  std::map<pnn, absence> absent;
  std::map<std::uint32_t, std::int64_t> flag_ages_ms;  ///< of this node's own flags
  std::map<pnn, std::map<std::uint32_t, std::int64_t>> flag_ages_of_others_ms;
  std::vector<std::pair<std::string, std::string>>
      disputes;  ///< databases that are out of use, and why
  memory_report held;
  limit_counts limits;
  std::optional<bans::ban> ban;
  struct cut {
    std::string why, next;
    std::int64_t age_ms = 0;
  };
  std::optional<cut> cut_off;  ///< its databases are frozen by the node itself
  struct pause {
    pnn by{0};
    std::int64_t age_ms = 0, left_ms = 0;
  };
  std::optional<pause> paused;  ///< no recovery begins: a tool or another node has asked for that
  std::optional<joining_progress> joining;  ///< it is filled before it takes part
};

/// Names of processes are not always UTF-8: what is not is replaced.
std::string status_json(const status_snapshot&, const std::vector<database_report>&);
/// What `floe health` asks for, every second perhaps: names as in the whole status.
std::string only_health_json(const status_snapshot&, const std::vector<database_report>&);
std::string locks_json(pnn self, const std::vector<database_report>&);
/// For people, one thing a line.
std::string memory_text(const memory_report&, const std::vector<database_report>&);
/// `options`: {"since_us": N} or nothing.
std::int64_t timeline_since(byte_view options);
std::string timeline_json(pnn self, const std::vector<std::shared_ptr<const timeline_event>>&);

}  // namespace floe
