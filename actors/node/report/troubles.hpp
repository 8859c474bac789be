#pragma once
/// What is wrong with a node, and with its cluster as it sees it: one sentence each, with cause, age and what to try. The
/// only place that decides it: `healthy` and the warnings of status, REASON, `floe doctor`, and the checks of `/readyz`
/// (health.hpp) are made of these. Pure: a snapshot goes in. Ages in milliseconds.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

struct status_snapshot;
struct database_report;

/// Which check of a node's readiness a trouble breaks.
enum class health_part : std::uint8_t {
  runstate,
  recovery_mode,
  leader,
  flags,
  cluster_lock,
  databases,
  other,  ///< anything else
};

struct trouble {
  std::string_view kind;  ///< an id for programs, as "no-leader"; troubles.cpp has them all
  std::string text{};     ///< one sentence: what and why
  /// The sentence behind its subject, which is `db`, or else `node`, and which a list of several may take the place of; empty: it
  /// has none of these.
  std::string says{};
  std::string next{};  ///< what to try
  std::string db{};    ///< its name; empty: of no database
  std::optional<pnn> node{};
  std::int64_t age_ms = -1;  ///< -1: nobody knows
  bool ill = true;           ///< the work of the cluster suffers; false: it does not yet
  health_part part = health_part::other;
  bool follows = false;  ///< what else is wrong may be its cause: it stands behind that
};

/// Causes first, the worst of them at the head.
std::vector<trouble> troubles_of(const status_snapshot&, const std::vector<database_report>&);

/// Why clients of this node cannot work with a database now, in the order of its weight; empty: they can.
std::vector<trouble> troubles_of(const database_report&, pnn self);

}  // namespace floe
