#pragma once
/// The record tables (actors/table) that one channel has got from its node: memory in which records are locked, read and
/// stored without asking. They are void when the channel ends, and their memory is not in the child of a fork.
///
/// A lock in a table belongs to a number of this process, which is taken for the lock and given back with it: locks may be
/// passed from thread to thread.
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/table/table_user.hpp"
#include "protocol/ids.hpp"

namespace floe::clib {

class lock_numbers {
 public:
  /// 1 to table_threads_max; 0: all are taken.
  std::uint32_t take();
  void give_back(std::uint32_t);

 private:
  static constexpr std::uint32_t words = (table_threads_max + 1) / 64;
  std::array<std::atomic<std::uint64_t>, words> taken_{1};  // 0 is no number
  std::atomic<std::uint32_t> hint_{0};
};

struct shared_table {
  shared_table(std::shared_ptr<table_memory> m, std::uint32_t client, int wake_fd, bool reads)
      : user(std::move(m), client, wake_fd), only_read(reads) {}
  table_user user;
  /// Of a database that is written by transactions: its dmasters are not in it, and its sequence number is another one.
  const bool only_read;
  lock_numbers numbers;
  /// Up to then the node's end would have been noticed by nobody: the socket is looked at before more is done.
  std::atomic<std::uint64_t> trusted_until_us{0};
};

class shared_tables {
 public:
  enum class known : std::uint8_t { unasked, none, here };
  struct entry {
    known is = known::unasked;
    std::shared_ptr<shared_table> table;
  };
  /// Waits for nobody but who is asking at this moment.
  entry of(db_id) const;
  void keep(db_id, std::shared_ptr<shared_table>);  ///< null: there is none
  void forget(db_id);                               ///< the next use asks for it anew
  /// The end: nothing is done in them any more. Returns what there was.
  std::vector<db_id> close();

  std::mutex asking;  ///< one question at a time, so that its descriptors cannot be another's

 private:
  mutable std::mutex m_;
  std::map<db_id, entry> all_;
  bool closed_ = false;
};

}  // namespace floe::clib
