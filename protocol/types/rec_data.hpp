#pragma once
/// Records on the way: one (`rec_data`), and many back to back (`rec_buffer`), which is how
/// recovery, transactions and vacuuming move them. Whether the data begins with a record header
/// depends on the use, not on a flag: it does in recovery, traverse and transactions, it is all
/// there is in TRY_DELETE_RECORDS, and there is none in VACUUM_FETCH.
///
/// A decoded rec_buffer is a view: decoding walks over it once and checks every length, iterating
/// allocates nothing and copies no keys or data. Facts: Samba ctdb/protocol/protocol_types.c
/// (ctdb_rec_data_push, ctdb_rec_buffer_push).
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

struct rec_data {
  static constexpr std::size_t wire_size_min = 16;  ///< length, reqid, keylen, datalen
  std::uint32_t reqid =
      0;  ///< traverse: its id; TRY_DELETE_RECORDS: db_id; VACUUM_FETCH: pnn of the sender; else 0
  byte_view key;
  byte_view data;
  bool operator==(const rec_data&) const = default;

  /// Splits the header off the data; nothing if the data is too short for one.
  std::optional<record_view> as_record() const;
  /// End marker of a traverse.
  bool is_end() const { return key.empty() && data.empty(); }
};

/// Header fields from the 24 bytes at `from`.
record_header load_header(const char* from);
/// Appends its 24 bytes.
void append_header(bytes& out, const record_header& h);

class rec_buffer {
 public:
  static constexpr std::size_t wire_size_min = 8;

  class iterator {
   public:
    using value_type = rec_data;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    iterator(const char* at, const char* end) : at_(at), end_(end) {}
    rec_data operator*() const;
    iterator& operator++() {
      at_ += number_at(0);  // the length of this record, checked when the buffer was decoded
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return at_ == end_; }

   private:
    std::uint32_t number_at(std::size_t offset) const {
      std::uint32_t n = 0;
      std::memcpy(&n, at_ + offset, sizeof n);
      return n;
    }
    const char* at_ = nullptr;
    const char* end_ = nullptr;
  };

  rec_buffer() = default;
  /// An empty one.
  explicit rec_buffer(floe::db_id db) : db_(db) {}

  floe::db_id db_id() const { return db_; }
  std::uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  iterator begin() const { return {records_.data(), records_.data() + records_.size()}; }
  std::default_sentinel_t end() const { return {}; }
  /// The records as they travel.
  byte_view records() const { return records_; }
  bool operator==(const rec_buffer&) const = default;

 private:
  friend struct rec_buffer_row;
  friend class rec_buffer_builder;
  floe::db_id db_{0};
  std::uint32_t count_ = 0;
  byte_view records_;
};

/// Appends records to an encoded rec_buffer; what it holds is valid after each call.
class rec_buffer_builder {
 public:
  explicit rec_buffer_builder(db_id db, std::size_t reserve = 0);

  void add(byte_view key, const record_header& header, byte_view data, std::uint32_t reqid = 0);
  /// Without a header, or with one that is in the data already.
  void add_plain(byte_view key, byte_view data, std::uint32_t reqid = 0);

  /// How large the buffer becomes when a record of these sizes is added with add().
  std::size_t size_with(std::size_t key_size, std::size_t data_size) const {
    return out_.size() + rec_data::wire_size_min + key_size + record_header::wire_size + data_size;
  }
  std::size_t size() const { return out_.size(); }
  std::uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  byte_view encoded() const { return out_; }
  /// The same as a value, valid until the next add.
  rec_buffer view() const;
  /// The encoded buffer; the builder is empty again, for the same database.
  bytes take();

 private:
  void start(std::uint32_t reqid, std::size_t key_size, std::size_t data_size);
  void reset();
  floe::db_id db_;
  std::uint32_t count_ = 0;
  bytes out_;
};

}  // namespace floe
