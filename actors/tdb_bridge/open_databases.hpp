#pragma once
/// All databases of floe nodes that this process has open, and the connection to each node. What a program gets as its context
/// is the address of a slot in a fixed array, so that every function knows by two comparisons whether a context is ours.
#include "actors/tdb_bridge/bridged_database.hpp"

namespace floe::bridge {

/// Null: it is a context of the real libtdb.
bridged_database* ours(tdb_context*);

struct open_result {
  bool for_us = false;  ///< else the real libtdb is to open it
  tdb_context* made = nullptr;
};
open_result open_database(const char* path, int hash_size, int tdb_flags,
                          const tdb_logging_context*);
void close_database(tdb_context*);
/// -1: a node cannot be reached.
int touch_all();

}  // namespace floe::bridge
