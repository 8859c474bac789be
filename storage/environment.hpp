#pragma once
/// Inside storage/ only: one open LMDB environment and its file. Opens, reserves, grows, copies,
/// closes; knows nothing of records.
///
/// Rules of LMDB that are kept here: one environment per file and process; no transaction of ours
/// is open while the map grows; with a writable map (volatile databases) every mapped page has
/// space reserved, since the alternative to a refused reservation is a SIGBUS.
#include <lmdb.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <utility>

#include "storage/error.hpp"
#include "storage/options.hpp"

namespace floe {

constexpr std::size_t page_size = 4096;

/// A write transaction with its one cursor. Ends on the thread that began it, or LMDB's lock stays
/// taken.
class write_txn {
 public:
  static std::expected<write_txn, store_error> begin(MDB_env* env, MDB_dbi dbi);
  write_txn(write_txn&& other) noexcept
      : txn_(std::exchange(other.txn_, nullptr)), cursor_(std::exchange(other.cursor_, nullptr)) {}
  write_txn& operator=(write_txn&&) = delete;
  ~write_txn() { abort(); }
  MDB_txn* get() const { return txn_; }
  MDB_cursor* cursor() const { return cursor_; }
  /// LMDB's code. The transaction is over whatever the result.
  int commit();
  void abort();

 private:
  write_txn() = default;
  MDB_txn* txn_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
};

/// Who needs the room. Deleting takes pages too, so a little is kept back for it when nothing else
/// can grow.
enum class room : std::uint8_t { for_puts, for_erases };

class environment {
 public:
  static std::expected<std::unique_ptr<environment>, store_error> open(
      const store_options& options);
  ~environment();
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  MDB_env* get() const { return env_; }
  MDB_dbi dbi() const { return dbi_; }
  /// Writes go straight into the mapped file.
  bool writable_map() const { return options_.kind != db_kind::persistent; }

  /// A larger map, by a quarter (a small one: twice as large) or by `at_least` bytes. No transaction of ours may be open.
  std::expected<void, store_error> grow(room purpose, std::uint64_t at_least = 0);
  /// Call before puts. When the room kept back is in use they are refused, until the map can grow
  /// again or enough pages have become free. No transaction of ours may be open.
  std::expected<void, store_error> admit_puts();
  bool using_room_kept_back() const { return using_kept_back_; }

  /// For maps that are not writable: makes sure, before a commit, that the disk has room for about
  /// this much more and still for deletions afterwards.
  std::expected<void, store_error> reserve_disk(std::uint64_t size);
  /// The same for deletions only, where it is no matter if there is no room.
  void keep_disk_back();

  /// The one read transaction, renewed for each read. `end_read` after each successful begin.
  std::expected<MDB_txn*, store_error> begin_read();
  void end_read();

  /// Pages in LMDB's free list; pages up to the last used one.
  std::expected<std::uint64_t, store_error> free_pages();
  std::uint64_t file_pages() const;
  std::uint64_t map_bytes() const;

  /// A compacted copy in a file beside this one, opened. take_place_of() renames it over the
  /// original, whose environment must then be dropped; after that, sync_name() makes the change of
  /// files durable.
  std::expected<std::unique_ptr<environment>, store_error> compacted_copy();
  std::expected<void, store_error> take_place_of(const environment& old);
  std::expected<void, store_error> sync_name() const;
  /// Closes and opens again, which gives page buffers of a huge transaction back to the system.
  std::expected<void, store_error> reopen();

  /// The error for a failed commit: LMDB reports a full disk as a short write.
  store_error commit_error(int cause) const;
  int fault(disk_op op, std::uint64_t size) const {
    return options_.faults == nullptr ? 0 : options_.faults->check(op, size);
  }

 private:
  explicit environment(const store_options& options) : options_(options) {}
  std::expected<void, store_error> open_file();
  std::expected<void, store_error> set_map(std::uint64_t bytes);
  int reserve(std::uint64_t from, std::uint64_t bytes) const;
  int reserve_lock_file() const;
  void keep_room_back();
  std::uint64_t put_limit() const;
  void close();
  std::filesystem::path lock_file() const { return options_.file.string() + "-lock"; }
  std::string copy_file() const { return options_.file.string() + ".compact"; }
  int copy_content_to(const std::filesystem::path& file) const;
  int copy_records_to(const environment&);
  std::uint64_t pages_of_small_copy();
  void remove_copy() const;  ///< also what an interrupted one has left

  store_options options_;
  std::string label_;  ///< the file's name, for LMDB's assertions
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_txn* reader_ = nullptr;
  std::uint64_t disk_end_ = 0;   ///< the file has blocks up to here
  std::uint64_t kept_back_ = 0;  ///< bytes reserved behind the map
  bool using_kept_back_ = false;
};

/// Makes names in a folder durable.
int sync_folder(const std::filesystem::path& folder);

}  // namespace floe
