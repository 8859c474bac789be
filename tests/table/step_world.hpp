#pragma once
/// Clients, a node and chance on one table in ordinary memory: every step of a machine is an event, and between two steps
/// anything happens: another's step, a recall, a freeze, a death, a client that is disconnected and runs on. All of it
/// from a seed. Promises are checked as it goes:
///   one holder          nobody is granted a lock that another holds
///   no lost store       what a store that has returned wrote is what the next holder, and the node, finds
///   no half store       every content that anybody reads is one that was stored
///   frozen is closed    while the node takes the table for frozen, nobody is granted a lock
///   nobody starves      a wait of a client that lives ends within a bound
///   recalls are heard   a recalled record that a living client has let go is taken soon
#include <cstdint>
#include <string>

namespace floe {

struct step_verdict {
  std::string broken;  ///< the promise, and how; empty: all held
  std::uint64_t steps = 0, locks = 0, stores = 0, reads = 0, recalls = 0, freezes = 0, deaths = 0,
                kicks = 0;
  std::uint64_t longest_wait_us = 0;
  std::uint64_t digest = 0;  ///< of everything that happened, in order
};

step_verdict play_steps(std::uint64_t seed, std::uint64_t steps);

}  // namespace floe
