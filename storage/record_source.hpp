#pragma once
/// A stream of records that can be read again from its beginning: a whole-content change that runs
/// out of map is done again on a larger one.
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/record.hpp"
#include "storage/key.hpp"

namespace floe {

class record_source {
 public:
  virtual ~record_source() = default;
  /// False at the end. What a record views stays where it is until the source is rewound or
  /// destroyed.
  virtual bool next(record_view& record) = 0;
  virtual void rewind() = 0;
  /// Bytes of all keys and data, roughly; lets the map grow once instead of step by step. 0:
  /// unknown.
  virtual std::uint64_t size_hint_bytes() const { return 0; }
};

/// Records in memory, in the order of the span or in another one.
class span_source final : public record_source {
 public:
  explicit span_source(std::span<const record_view> records,
                       std::span<const std::uint32_t> order = {}, std::uint64_t size_bytes = 0)
      : records_(records), order_(order), size_bytes_(size_bytes) {}

  bool next(record_view& record) override {
    if (at_ == (order_.empty() ? records_.size() : order_.size())) return false;
    record = records_[order_.empty() ? at_ : order_[at_]];
    ++at_;
    return true;
  }
  void rewind() override { at_ = 0; }
  std::uint64_t size_hint_bytes() const override { return size_bytes_; }

 private:
  std::span<const record_view> records_;
  std::span<const std::uint32_t> order_;
  std::uint64_t size_bytes_;
  std::size_t at_ = 0;
};

/// Indexes of the records in key order; of equal keys only the last record, as if each had been
/// stored in turn. Empty if they are in strictly ascending order as they are.
std::vector<std::uint32_t> sorted_order(std::span<const record_view> records,
                                        long_key_hash hash = hash_long_key);

}  // namespace floe
