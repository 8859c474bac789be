#pragma once
/// The table as threads of a real process use it: the machines of steps.hpp, run to their end, with futexes to wait on.
/// Any number of threads may use one table_user; each names itself by a number of its own (1 to 4095), since a lock
/// belongs to a thread. Nothing here throws, allocates (but the content read) or makes a thread.
///
/// The node must hear of an unlock that it waits for: `wake_fd` is the eventfd that came with the table. Whoever loses
/// the connection to the node calls `disconnect`: from then on every operation says so, and the memory counts for nothing.
/// A lock that is held when that happens is lost with it.
#include <atomic>
#include <optional>

#include "actors/table/steps.hpp"

namespace floe {

enum class table_answer : std::uint8_t {
  good,
  not_here,  ///< ask the node by the socket
  busy,      ///< try_lock: somebody holds it
  timed_out,
  held_already,  ///< by this thread
  to_node,       ///< hand the lock over to the node by the socket and store there
  not_held,      ///< the node has taken the lock back
  disconnected,
};

/// Microseconds of CLOCK_MONOTONIC.
std::uint64_t table_clock_us();
/// The same, a few milliseconds behind at most, and much cheaper.
std::uint64_t table_coarse_us();

/// How long an operation may wait. It is counted from the moment at which it has to: whoever finds a record free reads no
/// exact clock, which would take longer than the lock.
struct table_patience {
  std::uint64_t us = 0;  ///< 0: try once
  static constexpr table_patience forever() { return {UINT64_MAX / 2}; }
};

class table_user {
 public:
  /// Takes the descriptor.
  table_user(std::shared_ptr<table_memory>, std::uint32_t client, int wake_fd);
  ~table_user();
  table_user(const table_user&) = delete;

  std::uint32_t client() const { return client_; }
  const table_memory& memory() const { return *memory_; }
  void disconnect() { connected_.store(false, std::memory_order_release); }
  bool connected() const { return connected_.load(std::memory_order_acquire); }

  /// `now_us`: of whoever has just looked at the coarse clock anyway; so below.
  table_answer lock(byte_view key, std::uint32_t thread, table_patience, table_place& held,
                    std::uint64_t now_us = table_coarse_us());
  table_answer read_locked(const table_place& p, table_content& c, bytes& data);
  /// Empty data: a deletion.
  table_answer store(const table_place&, std::uint32_t thread, byte_view data,
                     std::uint64_t now_us = table_coarse_us());
  table_answer unlock(const table_place&, std::uint32_t thread);
  /// Without a lock. `thread` 0: no thread of ours holds anything.
  table_answer read(byte_view key, std::uint32_t thread, read_wait, table_patience,
                    table_content& c, bytes& data, std::uint64_t now_us = table_coarse_us());
  /// The process that holds the record now; 0: nobody that is known.
  std::int32_t holder_process(byte_view key) const;
  std::uint64_t sequence_number() const { return memory_->stores(); }
  /// As long as the node answers for the table; else there may be changes that are not counted here.
  std::optional<std::uint64_t> valid_sequence_number() const;

 private:
  void wait(const table_sleep&, std::uint64_t deadline_us) const;
  void wake(const table_wakes&) const;

  std::shared_ptr<table_memory> memory_;
  std::uint32_t client_;
  int wake_fd_;
  std::atomic<bool> connected_{true};
};

}  // namespace floe
