#pragma once
/// Forgetting deleted records. A deletion leaves an empty record, so that older copies elsewhere do not come back;
/// vacuuming removes it when no such copy is left:
///
///   its dmaster D            its lmaster L                  every other node
///      │ the empty record goes home: REQ_DMASTER ►│            │
///      │ (a ctdbd is asked to fetch it: VACUUM_FETCH)          │
///                                │ TRY_DELETE_RECORDS, many ──►│ empties its old copy, and drops it
///                                │◄── the keys that it keeps ──│ when asked once more: floe nodes
///                                drops its own, the last one
///
/// Nothing is dropped at L unless *every* member of the cluster has answered: a node that is away may hold an old copy.
/// What was refused, rewritten or moved meanwhile stays. A recovery at any point finds either the empty record or no
/// copy at all.
///
/// Sources: Samba ctdb/server/ctdb_vacuum.c, ctdb_recover.c (delete_tdb_record). Differences: an empty record goes home
/// without being fetched; CTDB's shortcut for records that never moved with content is not taken, since a recovery may
/// have given everybody a copy; nodes that are away stop it (CTDB does not ask them, and what they have comes back).
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/record.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

// ---- the dmaster and the lmaster ----

/// This node's copy of a record that is to be forgotten.
struct deleted_record {
  record_header header;
  bool empty = true;
};

enum class vacuum_step : std::uint8_t {
  forget,     ///< it is alive again, or somebody else's: nothing to do
  later,      ///< it is in use, or changes hands
  send_home,  ///< its lmaster is another node
  ask_all,    ///< we are dmaster and lmaster: all others drop their copies first
};
std::string_view name(vacuum_step);
vacuum_step decide_vacuum(pnn self, pnn lmaster, const std::optional<deleted_record>& local,
                          bool in_use);

/// Memory that the list of what is to be forgotten takes at most, of one database. What does not fit is left to a run that
/// looks at all records.
inline constexpr std::size_t deletion_queue_bytes_max = 64 << 20;

/// Keys that were deleted here, oldest first, each once.
class deletion_queue {
 public:
  struct entry {
    bytes key;
    time_point since;
    unsigned refusals = 0;
  };
  void add(byte_view key, time_point since, unsigned refusals = 0);
  /// The record is alive again.
  void remove(byte_view key);
  std::optional<entry> take();
  std::size_t size() const { return order_.size(); }
  /// About the memory that it takes.
  std::size_t size_bytes() const { return key_bytes_ + order_.size() * bytes_of_entry; }
  bool empty() const { return order_.empty(); }
  std::optional<time_point> oldest() const {
    return order_.empty() ? std::nullopt : std::optional(order_.front().since);
  }
  void clear();

 private:
  /// Of an entry beside its key: in the list, and in the table.
  static constexpr std::size_t bytes_of_entry =
      sizeof(entry) + sizeof(byte_view) + 8 * sizeof(void*);

  std::size_t key_bytes_ = 0;
  std::list<entry> order_;
  std::unordered_map<byte_view, std::list<entry>::iterator> find_;  ///< by the keys in order_
};

/// Records that are offered to all other nodes for deletion, and what they say.
struct offered_deletion {
  deletion_queue::entry what;
  record_header header;
};

class agreed_deletion {
 public:
  enum class outcome : std::uint8_t {
    agreed,   ///< nobody else has a copy: this node's, if it is still as it was offered, may go
    refused,  ///< a node keeps its copy
    unknown,  ///< a node did not answer: again later
  };

  bool running() const { return running_; }
  std::uint64_t number() const { return number_; }  ///< tells its answers from late ones
  std::span<const pnn> waiting_for() const { return waiting_for_; }

  /// Without others it is complete at once.
  void begin(std::vector<offered_deletion> offered, std::span<const pnn> others);
  /// The keys that a node keeps, or nothing if it did not carry out the request.
  void answered(std::uint64_t number, pnn node, const std::optional<std::vector<bytes>>& kept);
  bool complete() const { return running_ && waiting_for_.empty(); }

  struct result {
    offered_deletion what;
    agreed_deletion::outcome outcome{};
  };
  /// Ends it, complete or not; of one that is not complete nothing is agreed.
  std::vector<result> end();

 private:
  bool running_ = false;
  bool silent_ = false;  ///< somebody has not carried it out
  std::uint64_t number_ = 0;
  std::vector<offered_deletion> offered_;
  std::vector<pnn> waiting_for_;
  std::unordered_map<byte_view, bool> refused_;  ///< by the keys in offered_
};

/// Whose agreement a deletion needs. Nobody's, and no deletion at all, while a member of the vnn map is away.
struct vacuum_peer {
  pnn node{0};
  bool connected = true;
  bool active = true;
};
std::optional<std::vector<pnn>> who_must_agree(pnn self, std::span<const vacuum_peer> nodes,
                                               std::span<const pnn> map);

// ---- every other node ----

enum class try_delete_outcome : std::uint8_t {
  gone,  ///< there is no copy here
  drop,  ///< delete the copy here, whatever it contains
  keep,  ///< tell the sender that it could not be deleted
};

/// `local` is this node's copy; `in_use` if somebody holds, awaits or migrates the record here.
try_delete_outcome decide_try_delete(pnn self, pnn lmaster,
                                     const std::optional<record_header>& local,
                                     const record_header& offered, bool in_use);

}  // namespace floe
