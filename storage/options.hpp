#pragma once
/// How a store is opened.
#include <cstddef>
#include <filesystem>

#include "protocol/record.hpp"
#include "storage/faults.hpp"
#include "storage/key.hpp"

namespace floe {

struct store_options {
  db_kind kind = db_kind::volatile_db;
  std::filesystem::path file;  ///< the data file; its lock file lies beside it as FILE-lock
  /// Delete what is there first. Right for volatile and replicated databases when a node starts:
  /// their files are not trustworthy after a power failure.
  bool create_empty = false;
  /// Bytes; 0: 24 KiB for volatile and replicated databases, which take the space at once, 1 GiB of
  /// addresses for persistent ones.
  std::size_t map_initial = 0;
  std::size_t map_limit = std::size_t{64} << 30;
  disk_faults* faults = nullptr;       ///< must outlive the store
  long_key_hash hash = hash_long_key;  ///< replaced by tests only
};

}  // namespace floe
