#pragma once
/// The records that a recovery pushes to this node, collected between the start and the commit of
/// its transaction. Nothing reaches the store before the commit; a transaction that is given up
/// costs nothing. Records are views into the buffers they came in, which are kept in memory.
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "storage/store.hpp"

namespace floe {

class recovery_set {
 public:
  /// Keeps a buffer alive for the records that view into it.
  void keep(frame buffer) { buffers_.push_back(std::move(buffer)); }
  /// Added in any order; of equal keys the last wins, as if each had been stored in turn.
  void add(const record_view& record);
  void add(frame buffer, std::span<const record_view> records);

  /// Records to be stored, and such to be erased.
  std::size_t size() const { return records_.size() + erased_.size(); }
  /// Of keys and data.
  std::uint64_t size_bytes() const { return size_bytes_; }
  /// The record as the commit will store it, or null. Looks through all of them.
  const record_view* find(byte_view key) const;

  /// Of a recovery by difference: the record is gone. The key views into a kept buffer.
  void erase(byte_view key) { erased_.push_back(key); }
  /// And of one of either: it has been written since the nodes last had equal contents. The key views into a kept buffer.
  void somebody_wrote(byte_view key) { written_.push_back(key); }
  /// Those of them that are neither stored nor erased already.
  void add_missing(std::vector<record> records);

  /// Whether the store has these records and no others: by key, rsn and data, since the rest of a header names nodes.
  std::expected<bool, store_error> same_as(store&) const;

  /// The store's content becomes this set, in one commit, and only differences are written.
  std::expected<replace_result, store_error> replace_content(
      store& to, std::span<const change> meta = {}) const;
  /// The set's records are stored and erased, in one commit; what else there is stays.
  std::expected<void, store_error> apply_difference(store& to,
                                                    std::span<const change> meta = {}) const;
  /// The set's records are stored, in one commit; what else there is stays.
  std::expected<void, store_error> store_into(store& to) const;

 private:
  std::vector<frame> buffers_;
  std::vector<record> owned_;  ///< no more are added once there are views into them
  std::vector<record_view> records_;
  std::vector<byte_view> erased_;
  std::vector<byte_view> written_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace floe
