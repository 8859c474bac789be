#pragma once
/// The seam between a store and its disk. LMDB does its own input and output, so the seam sits at
/// the four places where the disk can say no; a fault set here is indistinguishable, for the store
/// and its callers, from the system's answer. Called on the thread that uses the store.
#include <cerrno>
#include <cstdint>

namespace floe {

enum class disk_op : std::uint8_t {
  open,     ///< opening or creating a data file
  reserve,  ///< taking space for a growing map
  write,    ///< one record into a transaction
  flush,    ///< one commit
};

class disk_faults {
 public:
  virtual ~disk_faults() = default;
  /// 0: go on. Otherwise the errno that the disk shall seem to have answered (ENOSPC, EIO, ...).
  virtual int check(disk_op op, std::uint64_t bytes) = 0;
};

/// Faults told in advance: one operation fails at its nth turn from now, or the disk is full until
/// told otherwise.
class scripted_faults final : public disk_faults {
 public:
  /// nth = 1: the next operation of this kind. Only one fault is planned at a time.
  void fail(disk_op op, std::uint64_t nth, int error = EIO) { planned_ = {op, nth, error}; }
  /// Refuses reservations and writes, as a full file system does.
  void set_full(bool full) { full_ = full; }
  /// How often a planned fault or the full disk struck.
  std::uint64_t struck() const { return struck_; }

  int check(disk_op op, std::uint64_t) override {
    if (full_ && (op == disk_op::reserve || op == disk_op::write)) {
      ++struck_;
      return ENOSPC;
    }
    if (planned_.nth == 0 || op != planned_.op) return 0;
    --planned_.nth;
    if (planned_.nth != 0) return 0;
    ++struck_;
    return planned_.error;
  }

 private:
  struct plan {
    disk_op op = disk_op::open;
    std::uint64_t nth = 0;
    int error = 0;
  };
  plan planned_;
  bool full_ = false;
  std::uint64_t struck_ = 0;
};

}  // namespace floe
