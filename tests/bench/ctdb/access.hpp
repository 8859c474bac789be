#pragma once
/// How a client locks, writes and unlocks one record: with ctdbd and with floe, behind one face.
///
///   ctdbd  as smbd does (Samba source3/lib/dbwrap/dbwrap_ctdb.c): lock the hash chain in the
///   node's TDB file; if the
///          record's header does not name this node as dmaster, unlock, ask the daemon for it, and
///          begin again; store into the file; unlock.
///   floe   records of the node's record table in shared memory (actors/table), and what is not there by controls
///          to the node: lock, then store, which gives the lock back, or unlock. floe-socket: controls only. floe-c: by
///          floe's client library for C.
///
/// One access is one client: it belongs to one thread, and holds one lock at a time.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace floe::bench {

class access {
 public:
  virtual ~access() = default;
  /// Returns when the record is locked and lives on this node.
  virtual void lock(std::string_view key) = 0;
  /// Whether the last lock() or fetch() found the record elsewhere, or its node's clients sent to the node, and asked for it.
  bool asked() const { return asked_; }
  /// What the locked record holds; empty if there is none.
  virtual std::string data() = 0;
  /// Replaces the data of the locked record and gives the lock back.
  virtual void store_and_unlock(std::string_view data) = 0;
  /// Deletes the locked record and gives the lock back.
  virtual void erase_and_unlock() = 0;
  virtual void unlock() = 0;
  /// What this node has of the record, without locking it: after whoever holds it.
  virtual void read(std::string_view key) = 0;
  /// What was stored last, on whatever node: the record comes here, or a read-only copy of it where they are allowed.
  virtual void fetch(std::string_view key) = 0;
  /// Of this node: read-only copies of records of this database.
  virtual void allow_copies() = 0;

 protected:
  bool asked_ = false;
};

/// Both attach the database, which makes it if it is not there.
std::unique_ptr<access> open_ctdbd(const std::string& socket_path, const std::string& database);
std::unique_ptr<access> open_floe(const std::string& socket_path, const std::string& database);
/// Without the record table.
std::unique_ptr<access> open_floe_socket(const std::string& socket_path,
                                         const std::string& database);
/// By the functions of floe/client.h.
std::unique_ptr<access> open_floe_c(const std::string& socket_path, const std::string& database);

}  // namespace floe::bench
