#pragma once
/// A database that was named on the command line. A name that no database has is answered with the one that may have been
/// meant.
#include "actors/client/blocking_client.hpp"

namespace floe::cli {

/// Attached at the node that the client is connected to; by name, or "0x" and id.
void find_named_database(client&, const bytes& name_or_id, duration patience, when_done<db_id>);
result<db_id> find_named_database(blocking_client&, const bytes& name_or_id, duration patience);

}  // namespace floe::cli
