#pragma once
/// The counter of a database's changes, for clients that cache its records (ENABLE_SEQNUM, UPDATE_SEQNUM): it moves with
/// every store, deletion and give-away on this node, and, where that was asked for, within SeqnumInterval on all others.
/// Unrelated to the sequence number that transactions of persistent databases raise.
///
/// Source: Samba ctdb/server/ctdb_ltdb_server.c (ctdb_ltdb_enable_seqnum, ctdb_ltdb_seqnum_check,
/// ctdb_ltdb_update_seqnum).
#include <cstdint>
#include <optional>

#include "actors/database/database_port.hpp"

namespace floe {

class change_counter {
 public:
  explicit change_counter(const database_port& port) : port_(port) {}

  void count() { ++now_; }
  /// Something has changed on another node. It has told everybody: nothing is passed on.
  void count_of_another() {
    ++now_;
    if (told_) ++*told_;
  }
  std::uint64_t now() const { return now_; }

  /// From now on the other nodes want to know.
  void tell_others();
  /// The interval is over.
  void tell_if_changed();
  void wait_for_interval() const;

 private:
  const database_port& port_;
  std::uint64_t now_ = 0;
  std::optional<std::uint64_t> told_;  ///< to the others; nothing: they do not want to know
};

}  // namespace floe
