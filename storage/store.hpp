#pragma once
/// The records of one database on one node: an LMDB environment of its own (format.hpp has the
/// bytes).
///
/// Reads see every earlier write. Writes form groups: put, erase and apply(grouped) join the open
/// group, flush commits it; a group becomes visible to other processes, and survives a crash of
/// this one, as a whole or not at all. For volatile databases a flush costs a microsecond; for the
/// others it waits for the disk.
///
/// A refused write leaves no trace: the group keeps what it had. A refused flush loses nothing
/// either: the group stays, its changes are still read, and the next flush tries again.
///
/// Threads: one caller at a time. While a group is open every call must come from the thread that
/// opened it (or the process is ended, since LMDB's lock would stay taken for ever). After flush(),
/// and after every other call outside a group, no transaction is open and any thread may go on.
///
/// Callbacks must not call the store; what they are shown is valid only until they return.
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/change.hpp"
#include "storage/change_history.hpp"
#include "storage/error.hpp"
#include "storage/function_ref.hpp"
#include "storage/options.hpp"
#include "storage/record_source.hpp"

namespace floe {

enum class durability : std::uint8_t {
  grouped,    ///< joins the open group: committed by the next flush
  committed,  ///< committed, together with the open group, before the call returns; durable unless
              ///< volatile
};

/// Where a scan goes on. Survives any change of the content in between: what lies behind it and is
/// there, is met.
class scan_position {
 public:
  scan_position() = default;  ///< the beginning
  /// After this key, which need not exist.
  static scan_position after(byte_view key) {
    scan_position made;
    made.last_.emplace(key);
    return made;
  }
  static scan_position end() {
    scan_position made;
    made.at_end_ = true;
    return made;
  }
  bool at_end() const { return at_end_; }
  const std::optional<bytes>& last_key() const { return last_; }

 private:
  std::optional<bytes> last_;
  bool at_end_ = false;
};

struct replace_result {
  std::uint64_t written = 0, unchanged = 0, erased = 0;
  bool operator==(const replace_result&) const = default;
};

struct store_stats {
  std::uint64_t records = 0;
  std::uint64_t map_bytes = 0;
  std::uint64_t file_pages = 0;  ///< of 4096 bytes, up to the last used one
  std::uint64_t free_pages = 0;  ///< of these
  std::uint64_t bytes_used() const { return (file_pages - free_pages) * 4096; }
  /// Many free pages make every commit slower; compact() when idle.
  bool compaction_due() const { return free_pages > 256 && free_pages > file_pages / 4; }
};

class store {
 public:
  /// The same file must not be open twice in one process.
  static std::expected<store, store_error> open(const store_options& options);
  store(store&&) noexcept;
  store& operator=(store&&) noexcept;
  /// Does not flush: an open group is given up.
  ~store();

  std::expected<std::optional<record>, store_error> get(byte_view key);
  /// Shows the record in place. False: there is none.
  std::expected<bool, store_error> visit(byte_view key,
                                         function_ref<void(const record_view&)> visitor);

  /// Shows many records in place, one after the other, null for a key without one: keys in key_order(), for which the tree is
  /// searched once. Until the visitor returns false, which means that it did not take that one. Returns how many it took.
  std::expected<std::size_t, store_error> visit_each(
      std::span<const byte_view> keys,
      function_ref<bool(byte_view key, const record_view*)> visitor);

  std::expected<void, store_error> put(byte_view key, const record_header& header, byte_view data);
  std::expected<void, store_error> erase(byte_view key);
  /// All changes or, on an error, none of them.
  std::expected<void, store_error> apply(std::span<const change> changes, durability how);
  std::expected<void, store_error> flush();
  /// Has the group anything that a flush would commit?
  bool dirty() const;
  /// Bytes that the open group keeps in memory until it is committed.
  std::size_t unflushed_bytes() const;

  /// Shows records in key_order() until the visitor returns false, which means that it did not take
  /// that record: the returned position meets it again. No read outlives the call.
  std::expected<scan_position, store_error> scan(const scan_position& from,
                                                 function_ref<bool(const record_view&)> visitor);

  // Whole-content operations: each is one commit of its own, after a flush of the open group. They
  // take time in proportion to the content; to run one on another thread, flush here first.

  /// Deletes all records; metadata stay.
  std::expected<void, store_error> wipe();
  /// Stores many records, sorted or not; of equal keys the last wins.
  std::expected<void, store_error> bulk_store(std::span<const record_view> records);
  /// Stores and erases many records; each key once.
  std::expected<void, store_error> bulk_apply(std::span<const change> changes);
  /// Makes the content equal to the source, which must ascend strictly, and `meta` changes with it.
  /// Only differences are written.
  std::expected<replace_result, store_error> replace(record_source& source,
                                                     std::span<const change> meta = {});
  /// Writes the file anew without its free pages. On an error the old file stays in use.
  std::expected<void, store_error> compact();

  /// Named values beside the records (sequence number, generation, ...), up to 254 bytes of name;
  /// set_meta in a batch sets one together with records.
  std::expected<std::optional<bytes>, store_error> get_meta(byte_view name);
  std::expected<void, store_error> set_meta(byte_view name, byte_view content);

  std::expected<std::uint64_t, store_error> count();
  /// Reads the free list: not for every operation. Counts what is committed.
  std::expected<store_stats, store_error> stats();
  /// Of its file, up to the last page in use; cheap.
  std::uint64_t file_bytes() const;

  /// Which keys have changed since the content was last equal on all nodes. What is stored or erased
  /// is noted; a wipe or a replacement ends the notes, and whoever knows that the new content is
  /// everybody's begins them.
  const change_history& changes() const;
  change_history& changes();
  /// Newer copies of these records exist, which could not be stored yet: they are noted as changed, as if they had been.
  void note_unstored(std::span<const record> newer);
  /// Moves with every change of the content: equal numbers, equal content.
  std::uint64_t writes() const;

  const store_options& options() const;

  struct impl;  ///< inside storage/ only

 private:
  explicit store(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace floe
