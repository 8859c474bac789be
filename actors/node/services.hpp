#pragma once
/// The services of a node: who owns what, and who knows whom. Later ones know earlier ones, never the other way round.
#include "actors/node/addresses/addresses.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/calls/incoming.hpp"
#include "actors/node/clients/clients.hpp"
#include "actors/node/control_table.hpp"
#include "actors/node/doors.hpp"
#include "actors/node/joining/joiner.hpp"
#include "actors/node/membership/bans.hpp"
#include "actors/node/membership/departing.hpp"
#include "actors/node/membership/goodbyes.hpp"
#include "actors/node/membership/lock_tests.hpp"
#include "actors/node/membership/membership.hpp"
#include "actors/node/membership/nodes_list.hpp"
#include "actors/node/messaging/messaging.hpp"
#include "actors/node/messaging/recovery_announcer.hpp"
#include "actors/node/messaging/tunnels.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/attach.hpp"
#include "actors/node/registry/client_freezes.hpp"
#include "actors/node/registry/detach.hpp"
#include "actors/node/registry/registry.hpp"
#include "actors/node/report/reports.hpp"
#include "actors/node/report/statistics.hpp"
#include "actors/node/traverse/traverses.hpp"
#include "actors/node/tunables.hpp"

namespace floe {

struct node_services {
  node_services(node_environment, node_config);

  node_port port;
  control_table controls;
  floe::calls calls{port, controls};
  floe::clients clients{port};
  floe::doors doors{port, clients};
  floe::addresses addresses{port.env.self};
  floe::messaging messaging{port, clients};
  recovery_announcer recoveries{port, messaging};
  floe::tunnels tunnels{port, clients};
  registry databases{port};
  attaching attach{port, databases, calls};
  detaching detach{port, databases, calls};
  client_freezes freezes;
  incoming_controls incoming{port, controls, calls, freezes};
  traverses traversal{port, calls, databases};
  tunable_controls tunables{port, databases, doors};
  lock_tests locks{port, calls};
  statistics_keeper statistics{port, databases, locks};
  floe::membership membership{port, calls, databases, attach, freezes, locks};
  floe::departing departing{port, calls, membership};
  floe::goodbyes goodbyes{port, calls};
  floe::joiner joiner{port, calls, databases, membership};
  nodes_list nodes{port, membership, messaging, tunables};
  floe::bans bans{port, membership, departing, databases};
  floe::reports reports{port,
                        {calls, clients, messaging, tunnels, addresses, databases, membership,
                         locks, nodes, bans, joiner, traversal, goodbyes}};
};

/// Fills the table: every control that a node carries out, and which function does it.
void add_controls(node_services&);

}  // namespace floe
