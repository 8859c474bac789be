#pragma once
/// Replaces the content of a database on all active nodes: by nothing (wipe), or by given records
/// (restore). The steps are those of CTDB's tool (Samba ctdb/tools/ctdb.c, control_wipedb and
/// control_restoredb), and nodes of both kinds understand them:
///
///   freeze ► begin ► wipe ─┬─────────────────────────────────────┬► set_healthy ► commit ► thaw
///                          └► push_start ► records ► push_confirm ┘
///
/// Each step goes to all nodes, and the next one begins when all have done it. Nothing changes on a
/// node before its commit. A thaw does not open what was replaced: floe's nodes ask for a recovery,
/// which gives the content a generation of its own, and say that it is thawed when that is over
/// (protocol/rules/freeze.hpp). So nothing of before, which may still be on its way, is taken for current.
///
/// When a step fails anywhere a recovery is asked for: it thaws the database on all nodes and makes
/// them equal again, with the new content if it was committed on any of them. The same happens when
/// this client ends in the middle: its node notices.
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "actors/client/records.hpp"

namespace floe {

/// Encoded rec_buffers, one after the other, then nothing; an error gives the whole up.
using record_feed = std::function<std::expected<std::optional<bytes>, std::string>()>;

struct replace_plan {
  db_id db{0};
  std::string name;  ///< of the database; to be restored it is attached on all nodes
  db_kind kind = db_kind::volatile_db;
  record_feed feed = nullptr;  ///< without it the database is wiped
  duration step_patience = std::chrono::seconds(60);
  std::function<void(std::uint64_t records)> progress = nullptr;  ///< records sent so far
};

struct replaced_content {
  std::uint64_t records = 0;
  std::size_t nodes = 0;
};

void replace_content(client&, replace_plan, when_done<replaced_content> done);

}  // namespace floe
