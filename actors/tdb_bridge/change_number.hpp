#pragma once
/// What tdb_get_seqnum answers for a volatile database: the node's count of changes has 64 bits, libtdb's number 31. So each
/// context numbers the counts that it has seen, one after the other.
///
/// Programs read a record, then ask for the number, and keep what they have read under it (brl_get_locks_readonly in Samba's
/// source3/locking/brlock.c). What changes in between would be kept for good under the number of after the change; here such a
/// number is given once, and never again.
#include <cstdint>
#include <optional>
#include <utility>

namespace floe::bridge {

class change_number {
 public:
  using count = std::optional<std::uint64_t>;  ///< nothing: it is not known

  /// A record is about to be read. Only asked for once somebody has asked for a number.
  bool wants_to_know() {
    if (!asked_) read_before_asked_ = true;
    return asked_ && !read_;
  }
  void reads_at(count now) { read_ = now; }

  int number_for(count now) {
    const bool first = !std::exchange(asked_, true);
    const auto read = std::exchange(read_, std::nullopt);
    if (!now || now != seen_) ++number_;
    seen_ = now;
    const bool changed_since_read = read ? *read != now : first && read_before_asked_;
    if (changed_since_read) seen_ = std::nullopt;
    return static_cast<int>(number_);
  }

 private:
  bool asked_ = false, read_before_asked_ = false;
  std::optional<count> read_;  ///< at the first read since a number was given
  count seen_;                 ///< has number_; nothing: the next number is another one
  std::uint32_t number_ = 0;
};

}  // namespace floe::bridge
