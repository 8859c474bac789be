#pragma once
/// One line for every event and effect of the machines: the printer that logs, diagnostics and rule scripts share.
///
///     ask run=1 phase=freeze nodes=0,1,2 timeout=10s
///     in_transaction tid=102 wiped: roll_back
///
/// First the name, then fields as name=value. Who, where and when are always told (nodes, phases, runs); a flag only
/// if it is set, by its name alone; a number, text or list only if there is one. Text with spaces is in quotes;
/// pnn::unknown is "?"; durations have a unit (90s, 500ms). The names stand in fields/.
#include <string>

#include "protocol/rules/cluster_recovery.hpp"
#include "protocol/rules/db_recovery.hpp"
#include "protocol/rules/election.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/rules/joining.hpp"
#include "protocol/rules/leader_watch.hpp"
#include "protocol/rules/link_pair.hpp"

namespace floe {

std::string describe(const freeze_input&);
std::string describe(const freeze_status&);
/// "frozen: frozen_now", "refused: the database is not frozen"
std::string describe(const freeze_step&);

std::string describe(const db_input&);
std::string describe(const db_output&);

std::string describe(const cluster_input&);
std::string describe(const cluster_output&);

std::string describe(const election_input&);
std::string describe(const election_output&);

std::string describe(const watch_input&);
std::string describe(const watch_output&);

std::string describe(const joining_input&);
std::string describe(const joining_output&);

std::string describe(const pair_status&);
std::string describe(pair_event);
/// "greeting out=up in: greet"
std::string describe(const pair_step&);

}  // namespace floe
