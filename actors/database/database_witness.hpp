#pragma once
/// What somebody who sees all nodes at once is told by their databases, at the moment it happens. Two things that must
/// never be true together are then seen when the second one begins, not when a client stumbles over it.
///
/// Simulations have one (actors/sim/invariants.hpp). In production there is none, and nothing is told.
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

/// Whose word it is, and where that database stood.
struct database_moment {
  pnn node{0};
  db_id db{0};
  generation content = generation::invalid;  ///< set by the commit of its last recovery
  generation map = generation::invalid;      ///< of the node's vnn map
};

class database_witness {
 public:
  virtual ~database_witness() = default;

  virtual void opened(const database_moment&, std::string_view name) = 0;
  /// What the node had is no content any more: it became inactive, or the database was detached.
  virtual void left(const database_moment&) = 0;

  // Records of volatile databases.
  /// The node has stored a copy.
  virtual void kept(const database_moment&, byte_view key, const record_header&) = 0;
  /// The node has erased its copy.
  virtual void dropped(const database_moment&, byte_view key) = 0;
  virtual void granted(const database_moment&, byte_view key, const record_header&) = 0;
  virtual void released(const database_moment&, byte_view key) = 0;
  /// A client is told that its write is done.
  virtual void acknowledged(const database_moment&, byte_view key, const record_header&,
                            bool deleted) = 0;

  /// Transactions: all nodes have stored one, and its client is told.
  virtual void acknowledged_transaction(const database_moment&, std::uint64_t seqnum) = 0;

  // Recoveries.
  /// The leader: the copies of these nodes count in the recovery to `to`.
  virtual void recovers(db_id, generation to, std::span<const pnn> counted) = 0;
  /// A recovery's transaction is open: what the node has is put together with what others have.
  virtual void began(const database_moment&, generation to) = 0;
  /// It was closed without a commit.
  virtual void gave_up(const database_moment&) = 0;
  /// It was committed; the moment is of before. `seqnum`: of the content that is there now, if it is transactional.
  virtual void committed(const database_moment&, generation to, std::uint64_t seqnum) = 0;
};

}  // namespace floe
