#pragma once
/// What a recovery takes from this node's copy of a database: all records in the order of their keys, or those of some
/// keys. They are sent as messages, in buffers, a few at a time; then the receiver is answered with their number, so late
/// that the answer cannot overtake a buffer. One transfer at a time: a new one ends the one before.
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "actors/database/database_port.hpp"
#include "actors/replier.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {

/// What is told beside the keys that have changed.
struct beside_keys {
  std::uint32_t oldest_mark = 0;  ///< marks of changes up to that age are sent as well; 0: none
  bool tell_newer = false;        ///< which copies beat what was before (rules/winner.hpp)
  bool tell_written = false;      ///< which keys have been written since the base (rules/parts.hpp)
};

class content_sender {
 public:
  explicit content_sender(const database_port& port) : port_(port) {}

  /// Where the messages go, and who is told when all have left.
  struct receiver {
    pnn to{0};
    floe::srvid srvid{0};
    replier answer;
  };
  /// `left_in_table`: in the order of the keys, what a full disk keeps in the record table, newer than what the store has.
  void send_all(receiver, std::vector<record> left_in_table);
  /// Beside each key stands when it has changed here, if the set tells it (change_history::since).
  void send(receiver, key_set keys, std::vector<record> left_in_table, beside_keys = {});
  void stop() { now_.reset(); }
  void on(const db_continue_pull&);

 private:
  struct transfer {
    std::uint64_t id = 0;
    receiver to;
    scan_position position;
    std::optional<key_set> keys;   ///< not everything, but these
    std::vector<byte_view> order;  ///< into `keys`
    std::size_t next = 0;
    beside_keys beside;
    std::vector<record> left_in_table;
    std::size_t next_left = 0;  ///< of a transfer of all records
    std::uint32_t count = 0;
    std::size_t largest = 0;  ///< the data of a record
    unsigned in_flight = 0;
    bool exhausted = false;
  };

  transfer& begin(receiver);
  void send_buffers();
  void tell_if_large() const;
  std::expected<void, store_error> next_records(rec_buffer_builder&);
  std::expected<void, store_error> next_of_keys(rec_buffer_builder&);
  void add(rec_buffer_builder&, byte_view key, const record_view*) const;
  std::optional<record_view> left_of(byte_view key) const;

  const database_port& port_;
  std::optional<transfer> now_;
  std::uint64_t last_ = 0;
};

}  // namespace floe
