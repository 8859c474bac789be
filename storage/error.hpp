#pragma once
/// What can go wrong in a store. A code exists only where some caller reacts to it differently; the
/// number that LMDB or the system gave stays beside it for logs. A missing record is a normal
/// result, never an error.
#include <cstdint>
#include <string>

#include "protocol/bytes.hpp"

namespace floe {

enum class store_errc : std::uint8_t {
  full_disk,   ///< no space left: this request is refused, all content stays; delete, or try later
  full_map,    ///< the configured limit is reached: as full_disk, or raise the limit
  unstorable,  ///< this key or value can never be stored: refuse the request
  unsorted,    ///< a stream that must ascend does not: sort it first
  no_resources,  ///< memory, descriptors, reader slots: shed load, try later
  denied,        ///< permissions, missing folder, read-only file system: a matter of configuration
  io,            ///< the disk failed: count; repeated failures make the node unhealthy
  corrupt,       ///< content is damaged: recover it from the cluster, or set the file aside
  wrong_format,  ///< written by another version: refuse, never convert in place
  reopen,        ///< LMDB gave up on this environment: close the store and open it once more
  not_open,      ///< the file could not be opened again after it was swapped: open the store anew
};

byte_view name(store_errc code);

struct store_error {
  store_errc code;
  int cause = 0;     ///< LMDB's code (negative) or errno; 0: found by this layer
  std::string text;  ///< what was being done, and the cause in words
};

/// The error for an LMDB code or errno that came out of `doing`.
store_error lmdb_error(int cause, byte_view doing);
/// An error that this layer found itself.
store_error own_error(store_errc code, byte_view text);

}  // namespace floe
