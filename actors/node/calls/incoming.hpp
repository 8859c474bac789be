#pragma once
/// Controls that come in packets: carried out here, or sent on to the node that a client means; and the packets of
/// their answers.
#include "actors/node/calls/calls.hpp"
#include "actors/node/control_table.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/client_freezes.hpp"

namespace floe {

class incoming_controls {
 public:
  incoming_controls(node_port& port, const control_table& own, calls& others,
                    client_freezes& freezes)
      : port_(port), own_(own), calls_(others), freezes_(freezes) {}

  void from_client(const client_ref&, const parcel_ptr&, const req_control&);
  void from_peer(pnn, const parcel_ptr&, const req_control&);

 private:
  node_port& port_;
  const control_table& own_;
  calls& calls_;
  client_freezes& freezes_;
};

}  // namespace floe
