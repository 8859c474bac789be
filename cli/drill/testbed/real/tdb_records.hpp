#pragma once
/// Records of a ctdbd, as Samba gets at them (source3/lib/dbwrap/dbwrap_ctdb.c, fetch_locked_internal):
/// lock the record's chain in the local database file; if the header names this node as its dmaster,
/// it is ours; else give the lock back, ask the daemon for the record (REQ_CALL with
/// IMMEDIATE_MIGRATION), and try again.
///
/// All clients of a node are in this process, where a file is opened once: whoever of them has a
/// chain keeps the others away, as processes of their own would. Locks of others are tried for again
/// and again, so that nothing here ever waits. While the node is paused, so are its clients.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cli/drill/testbed/real/tdb_library.hpp"
#include "cli/drill/testbed/record_access.hpp"
#include "protocol/record.hpp"

namespace floe::cli::drill {

/// The database files of one node, shared by its clients.
struct tdb_node {
  struct file {
    std::unique_ptr<tdb_file> tdb;               ///< none: the node has ended
    std::map<std::uint32_t, const void*> owner;  ///< of chains, among our clients
  };
  std::map<std::string, std::shared_ptr<file>> files;  ///< by name of the database
  bool paused = false;

  /// The daemon has ended, and with it everything that its clients had.
  void close();
};

class tdb_records final : public record_access {
 public:
  /// Both outlive it.
  tdb_records(tdb_node& n, client& c) : node_(n), client_(c) {}
  ~tdb_records() override { disconnected(); }

  void lock(const std::string& db, const std::string& key, duration patience,
            when_done<locked_record>) override;
  void read(const std::string& db, const std::string& key, read_from, duration patience,
            when_done<read_record_answer>) override;
  void store(std::uint64_t lock_id, const std::string& data, after_write, duration patience,
             when_done<void>) override;
  void erase(std::uint64_t lock_id, after_write, duration patience, when_done<void>) override;
  void unlock(std::uint64_t lock_id, duration patience, when_done<void>) override;
  void disconnected() override;

 private:
  struct attempt {
    std::string db, key;
    time_point end;
    duration pause{std::chrono::milliseconds(1)};
    std::shared_ptr<tdb_node::file> file{};
    when_done<locked_record> done;
  };
  struct held {
    std::shared_ptr<tdb_node::file> file;
    std::string db, key;
    record_header header;
  };
  using opened = std::function<void(const result<std::shared_ptr<tdb_node::file>>&)>;

  void open(const std::string& db, duration patience, opened);
  void open_attached(const std::string& db, duration patience, opened);
  void try_lock(std::shared_ptr<attempt>);
  void fetch(std::shared_ptr<attempt>);
  void later(std::shared_ptr<attempt>);
  bool write(std::uint64_t id, const std::string& data, client_error& why);
  void let_go(std::uint64_t id);
  void answer(when_done<void>, result<void>);

  tdb_node& node_;
  client& client_;
  std::map<std::uint64_t, held> held_;
  std::uint64_t last_ = 0;
};

}  // namespace floe::cli::drill
