#pragma once
/// A node's run state only grows: init, setup, first recovery, startup, running, shutdown. States may
/// be passed over; none is entered twice, and none of before again.
/// Source: Samba ctdb/server/ctdb_daemon.c (ctdb_set_runstate), which ends the process instead.
#include <cstdint>

#include "protocol/ids.hpp"

namespace floe {

enum class runstate_step : std::uint8_t {
  enters,
  stays,      ///< it is there already
  backwards,  ///< a mistake of ours: nothing changes, and somebody should hear of it
};

runstate_step enter(runstate now, runstate wanted);

}  // namespace floe
