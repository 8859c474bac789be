#pragma once
/// Inside storage/ only: makes the records of a tree equal to a sorted stream, in one walk of both
/// side by side.
///
/// The walk goes from place to place. A place is a short key, or all long keys of one hash: those
/// have their order in the tree by slot, in the stream by their bytes, so they are settled
/// together.
#include "storage/environment.hpp"
#include "storage/record_source.hpp"
#include "storage/store.hpp"
#include "storage/tree.hpp"

namespace floe {

class content_walk {
 public:
  content_walk(write_txn& txn, const environment& env, record_source& source, long_key_hash hash)
      : cursor_(txn.cursor()), env_(env), source_(source), hash_(hash) {}

  /// Writes, overwrites and erases until the tree has the stream's records and no others.
  /// LMDB's code or an errno; EINVAL with unsorted() if the stream does not ascend strictly.
  int run();

  const replace_result& result() const { return result_; }
  bool unsorted() const { return unsorted_; }
  /// Bytes of keys and data read from the stream, and of these written.
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  void next_source();
  void next_group();
  void next_local(MDB_cursor_op op);
  int fill();
  int insert_group(bool append);
  int erase_local();
  int settle();
  int reconcile();
  int put(const tree::place& at, const record_view& record);
  int wrote(int rc, const record_view& record);

  MDB_cursor* cursor_;
  const environment& env_;
  record_source& source_;
  long_key_hash hash_;

  // The stream: the records of the next place, and the first record behind them.
  std::vector<record_view> group_;
  ordered_key group_key_;
  bool have_source_ = false, started_ = false, unsorted_ = false;
  record_view record_;
  ordered_key key_;

  // The tree: the entry under the cursor.
  int local_ = 0;  ///< 0: a record; MDB_NOTFOUND: no more records; otherwise an error
  byte_view local_inner_, local_value_;

  replace_result result_;
  std::uint64_t bytes_read_ = 0, bytes_written_ = 0;
};

}  // namespace floe
