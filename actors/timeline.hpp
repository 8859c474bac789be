#pragma once
/// Things worth a place on a timeline: transitions, waits, resends, grants. Noted by actors, kept by the node in
/// a ring, printed by `floe timeline`. The names are an interface; `timeline_events` lists them all.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/ids.hpp"

namespace floe {

struct timeline_event {
  std::int64_t wall_us = 0;  ///< microseconds since 1970
  std::string_view event;    ///< one of timeline_events
  db_id db{0};               ///< 0: the node as a whole
  std::string detail;        ///< "from->to", or "key=value ..." as the event's row says
};

struct timeline_event_info { std::string_view name, detail, meaning; };

inline constexpr std::array timeline_events = std::to_array<timeline_event_info>({
    {"freeze-state", "from->to holders=N", "a database on this node changed its freeze state"},
    {"generation", "old->new", "a database on this node got the generation of a recovery"},
    {"lock-wait", "client=ID pid=N name=S key=HEX why=S", "a client began to wait for a record lock"},
    {"lock-grant", "client=ID pid=N name=S key=HEX waited_us=N", "a client got a record lock"},
    {"lock-release", "client=ID pid=N name=S key=HEX held_us=N", "a client gave a record lock back"},
    {"migration-sent", "key=HEX to=PNN reqid=N gen=N", "a record was asked for"},
    {"migration-resent", "key=HEX to=PNN reqid=N gen=N", "a pending request was sent again after a thaw"},
    {"migration-done", "key=HEX waited_us=N", "a record that was asked for arrived"},
    {"recovery-mode", "normal->active why=S", "recovery mode of this node changed"},
    {"recovery-run", "run=N state=S ...", "the leader started or ended a recovery"},
    {"recovery-phase", "run=N from=S to=S", "the leader's recovery of one database entered a phase"},
    {"leader", "old->new", "another leader is known"},
    {"node-up", "pnn=N", "both connections to a node exist"},
    {"node-down", "pnn=N why=S", "a node is lost"},
    {"vnn-map", "gen=N map=LIST", "a new vnn map was set"},
    {"run-state", "old->new", "the node's run state changed"},
});

}  // namespace floe
