#pragma once
/// Forgetting deleted records, as far as another node asks for it: its lmaster holds an empty
/// record that it owns, and asks everybody to drop their old copies before it drops its own
/// (TRY_DELETE_RECORDS).
///
/// Source: Samba ctdb/server/ctdb_recover.c (delete_tdb_record).
#include <cstdint>
#include <optional>

#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

enum class try_delete_outcome : std::uint8_t {
  gone,  ///< there is no copy here
  drop,  ///< delete the copy here, whatever it contains
  keep,  ///< tell the sender that it could not be deleted
};

/// `local` is this node's copy; `in_use` if somebody holds, awaits or migrates the record here.
try_delete_outcome decide_try_delete(pnn self, pnn lmaster,
                                     const std::optional<record_header>& local,
                                     const record_header& offered, bool in_use);

}  // namespace floe
