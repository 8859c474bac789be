#pragma once
/// All databases of floe nodes that this process has open, and the connection to each node. What a program gets as its context
/// is the address of a slot in a fixed array, so that every function knows by two comparisons whether a context is ours.
#include <exception>
#include <new>
#include <type_traits>

#include "actors/tdb_bridge/bridged_database.hpp"

namespace floe::bridge {

/// Null: it is a context of the real libtdb.
bridged_database* ours(tdb_context*);

struct open_result {
  bool for_us = false;  ///< else the real libtdb is to open it
  tdb_context* made = nullptr;
};
open_result open_database(const char* path, int hash_size, int tdb_flags, int open_flags,
                          const tdb_logging_context*);
void close_database(tdb_context*);

/// The body of a C function: what it throws becomes an error of libtdb's, and -1, false or no data.
template <class Body>
auto served(bridged_database& d, Body body) -> decltype(body()) {
  using result = decltype(body());
  try {
    return body();
  } catch (const std::bad_alloc&) {
    d.fail(TDB_ERR_OOM, "out of memory");
  } catch (const std::exception& e) {
    d.fail(TDB_ERR_EINVAL, e.what());
  }
  if constexpr (std::is_same_v<result, int>)
    return -1;
  else
    return result{};
}
/// -1: a node cannot be reached.
int touch_all();

}  // namespace floe::bridge
