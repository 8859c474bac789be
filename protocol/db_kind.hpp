#pragma once
/// What kind a database is, by the flags that nodes tell of it.
#include <cstdint>

#include "protocol/constants.hpp"
#include "protocol/record.hpp"

namespace floe {

/// db_flag of GET_DBMAP and of recoveries; persistent wins, as in ctdbd.
constexpr db_kind kind_of(std::uint8_t flags) {
  if (flags & db_flag::persistent) return db_kind::persistent;
  return flags & db_flag::replicated ? db_kind::replicated : db_kind::volatile_db;
}

}  // namespace floe
