#pragma once
/// Inside storage/ only: the state of a store and how its transactions begin and end. The
/// operations are in store.cpp (records and groups), scan.cpp and whole_content.cpp.
#include <thread>

#include "storage/change_history.hpp"
#include "storage/environment.hpp"
#include "storage/store.hpp"
#include "storage/tree.hpp"

namespace floe {

/// The record that was read or stored last, as long as nothing else is written: a record that moves from node to node is
/// asked for several times by each request.
class last_record {
 public:
  /// Nothing if it is another one.
  std::optional<record_view> find(byte_view key, std::uint64_t writes) const {
    if (writes != writes_ || key != key_) return std::nullopt;
    return record_view{key_, header_, data_};
  }
  /// `writes`: the store's number since when it is so.
  void is(const record_view& r, std::uint64_t writes) {
    const bool small = r.key.size() <= small_key && r.data.size() <= small_data;
    writes_ = small ? std::optional(writes) : std::nullopt;
    if (!small) return;
    key_.assign(r.key);
    header_ = r.header;
    data_.assign(r.data);
  }

 private:
  /// A larger one would not be kept for this.
  static constexpr std::size_t small_key = 1024, small_data = 4096;
  std::optional<std::uint64_t> writes_;
  bytes key_, data_;
  record_header header_{};
};

struct store::impl {
  explicit impl(const store_options& o) : options(o) {}

  store_options options;
  std::unique_ptr<environment> env;
  change_log log;  ///< the open group
  change_history history;
  std::uint64_t writes = 0;  ///< moves with every change, also one that was refused
  last_record last;
  std::optional<write_txn>
      txn;                ///< if open, the log has been applied in it; never open without a log
  std::thread::id owner;  ///< who began txn
  bool in_callback = false;

  /// Checks the caller's side of the contract; not_open if the file is gone.
  std::expected<void, store_error> enter() const;

  /// Afterwards txn is open and has the whole log applied.
  std::expected<void, store_error> open_group();
  std::expected<void, store_error> join(std::span<const change> changes);
  std::expected<void, store_error> flush();
  /// Before they are applied: what the records are becomes part of the history.
  void note(std::span<const change> changes);
  /// `before`: what the record is, asked for if it has not changed since the base.
  void note(const change&, function_ref<record_mark()> before);
  std::expected<void, store_error> admit(std::span<const change> changes);

  /// Runs body in a transaction of its own and commits it; with a larger map from the start again,
  /// where `wanted` says how many bytes are expected to be missing.
  std::expected<void, store_error> in_one_commit(room purpose, function_ref<int(write_txn&)> body,
                                                 function_ref<std::uint64_t()> wanted);
  std::expected<void, store_error> check_format();
};

/// A transaction to read in: the open group's, so that its changes are seen, or the environment's
/// reader.
class store_read {
 public:
  static std::expected<store_read, store_error> begin(store::impl& s);
  store_read(store_read&& other) noexcept
      : env_(std::exchange(other.env_, nullptr)),
        txn_(other.txn_),
        cursor_(std::exchange(other.cursor_, nullptr)) {}
  store_read& operator=(store_read&&) = delete;
  ~store_read();
  MDB_txn* txn() const { return txn_; }
  std::expected<MDB_cursor*, store_error> cursor(MDB_dbi dbi);

 private:
  store_read(environment* env, MDB_txn* txn) : env_(env), txn_(txn) {}
  environment* env_;  ///< whose reader must be ended, or null
  MDB_txn* txn_;
  MDB_cursor* cursor_ = nullptr;
};

/// Marks that a callback runs, which must not call the store.
class callback_guard {
 public:
  explicit callback_guard(bool& flag) : flag_(flag) { flag_ = true; }
  callback_guard(const callback_guard&) = delete;
  callback_guard& operator=(const callback_guard&) = delete;
  ~callback_guard() { flag_ = false; }

 private:
  bool& flag_;
};

inline std::unexpected<store_error> store_failed(int cause, byte_view doing) {
  return std::unexpected(lmdb_error(cause, doing));
}

}  // namespace floe
