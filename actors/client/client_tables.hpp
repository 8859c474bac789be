#pragma once
/// The record tables (actors/table) that a client of a node has mapped, and what it does there: records of volatile
/// databases are locked, read and stored in shared memory, and what is not there goes by the socket.
///
/// The machines of actors/table/steps.hpp run on the loop: who has to wait looks again after a while. In a simulation
/// every step is an event of its own, so that anything may happen between two of them, the end of this client included.
///
/// A lock is named by a number of this client's, in which the place of the database is 0: no node gives such numbers.
/// Each lock belongs to a "thread" of its own. Answers never come inside the call, and none comes when this is gone.
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "actors/client/records.hpp"
#include "actors/net/network.hpp"

namespace floe {

class client_tables {
 public:
  client_tables();
  ~client_tables();
  client_tables(const client_tables&) = delete;

  /// Asks for the table at the first use of a database; until it is there, `usable` says no.
  bool usable(client&, db_id);
  static bool is_ours(std::uint64_t lock_id) { return lock_id != 0 && lock_id >> 32 == 0; }

  void lock(client&, db_id, byte_view key, duration patience, when_done<locked_record>);
  void read(client&, db_id, byte_view key, duration patience, when_done<read_record_answer>);
  /// Empty data: a deletion.
  void store(client&, std::uint64_t lock_id, byte_view data, after_write, duration patience,
             when_done<void>);
  void unlock(client&, std::uint64_t lock_id, duration patience, when_done<void>);

  /// Of a table that is here: changes with every change of the database on this node.
  std::optional<std::uint64_t> sequence_number(db_id) const;

  /// Descriptors have come; the answer that they belong to follows.
  void arrived(descriptors_ptr);
  /// The connection has ended: the tables are void, operations end with it, locks are gone.
  void disconnected(const client_error&);
  /// The client is going away: nobody is called any more.
  void forget();
  /// The databases whose table is mapped: to be told to the node by who goes on living without them.
  std::vector<db_id> mapped() const;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace floe
