#pragma once
/// A database that all nodes forget, at the wish of one client.
#include "actors/client/records.hpp"

namespace floe {

/// DB_DETACH: all nodes forget the volatile database and its records. Refused, in words that name a node, while clients of
/// any connected node may still attach databases (tunable AllowClientDBAttach, which an operator sets to 0 before): a client
/// would bring it back at once. `patience` is for each of two steps: asking all nodes, and detaching, which waits out a
/// recovery.
void detach(client&, db_id, duration patience, when_done<void> done);

}  // namespace floe
