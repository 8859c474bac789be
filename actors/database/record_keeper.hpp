#pragma once
/// The records of one database as its parts see them (database_port.hpp): what they may ask of the actor, which alone writes
/// them, keeps their queues and sends them on.
#include <optional>

#include "actors/database/lock_table.hpp"
#include "protocol/packet.hpp"
#include "protocol/record.hpp"

namespace floe {

class record_keeper {
 public:
  /// Thawed under the map that the cluster has, and the store is here.
  virtual bool in_use() const = 0;
  /// Somebody holds it or waits for it, or it is in the record table.
  virtual bool is_wanted(byte_view key) = 0;
  virtual pnn lmaster(byte_view key) const = 0;
  /// What is sent to that node is not lost, as far as is known.
  virtual bool reachable(pnn) const = 0;

  /// This node's copy; what is not here belongs to its lmaster.
  virtual record local(byte_view key, bool* found = nullptr) = 0;
  virtual std::optional<record_header> header_of(byte_view key) = 0;
  /// Of a record that is here.
  virtual record_header own_header(byte_view key) = 0;

  // False: nothing has changed, the storage has refused it.
  virtual bool put(byte_view key, const record_header&, byte_view data) = 0;
  /// By the daemon's rules: may delete instead, bumps the rsn where this node is dmaster.
  virtual bool store_as_daemon(byte_view key, const record_header&, byte_view data) = 0;
  virtual bool forget(byte_view key) = 0;

  /// The store has taken what clients wrote into the record table.
  virtual void took_from_table(const record_view&) = 0;

  virtual void enqueue(byte_view key, lock_waiter) = 0;
  /// Serves the queue of the key as far as it goes. It may have changed altogether afterwards.
  virtual void advance(const bytes& key) = 0;
  virtual void answer_read(const bytes& key, const lock_waiter&) = 0;
  virtual void send_packet(pnn to, reqid, pnn source, const packet_body&,
                           task written = nullptr) = 0;

 protected:
  ~record_keeper() = default;
};

}  // namespace floe
