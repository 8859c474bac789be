#pragma once
/// Processes of the cluster: whether one is there, and how a program names itself so that others can find out.
///
/// A server id (Samba's, as in records of g_lock.tdb) is process, task, node and a number that tells apart who has had the
/// same process id. A node knows the processes that are its clients and what they have registered for, so "is it alive"
/// means "is it a client of that node now".
#include <cstdint>
#include <optional>

#include "actors/client/records.hpp"
#include "protocol/types/record_content.hpp"

namespace floe {

/// PROCESS_EXISTS: whether a process with this id is a client of that node, and alive. With `registered`: CHECK_PID_SRVID,
/// whether it listens to that srvid. An error says that the node could not be asked, so that it is not known.
void process_exists(client&, pnn node, std::int32_t pid, std::optional<floe::srvid> registered,
                    duration patience, when_done<bool> done);

/// A name for this client that no other has, in this process or in a later one with its number: the unique id is also a
/// srvid that the client registers. Good until `give_up_name`, or until the client ends or loses its node; after a
/// reconnect to the same node it is good again. A client may have several.
void name_myself(client&, duration patience, when_done<server_id> done);
void give_up_name(client&, const server_id&);

/// Whether who has this name is there. Names by name_myself are told apart from later processes of the same number; of
/// others, as CTDB's programs and smbd make them, the process alone is asked for. A node that is not connected and has no
/// slot in the map has no processes in this cluster. An error: nobody can tell now; such a name may be in use.
void server_exists(client&, const server_id&, duration patience, when_done<bool> done);

}  // namespace floe
