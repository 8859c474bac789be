#pragma once
/// What the leader asked a node for: handed out with each control, it comes back with the answer, which so finds the
/// round, the ban or the recovery that it belongs to.
#include <cstdint>
#include <variant>

#include "protocol/constants.hpp"
#include "protocol/ids.hpp"
#include "protocol/rules/cluster_recovery.hpp"
#include "protocol/types/client.hpp"

namespace floe {

namespace question {
struct nothing {};  ///< whatever the answer is, nothing follows
struct poll {       ///< a part of what a node is asked in a round
  std::uint64_t round;
  pnn node;
  control part;
};
/// Is it a floe node? Its capabilities say so.
struct is_floe {
  pnn node;
};
/// Before a ban: is it of the generation that it is said to have spoiled?
struct ban_generation {
  pnn node;
};
/// ... and is it not inactive already?
struct ban_flags {
  pnn node;
};
struct banned {
  pnn node;
};
/// Is a participant inactive?
struct participant {
  recovery_epoch run;
  pnn node;
};
/// ... or does it leave in good order?
struct participant_leaves {
  recovery_epoch run;
  pnn node;
};
/// Its flags are known here now.
struct participant_known {
  recovery_epoch run;
};
/// How it sees itself, while nobody leads.
struct own_flags {
  pnn node;
};
struct takeover {
  std::uint64_t serial;
};
struct memory {
  srvid_message whom;
};
/// What it has of the databases.
struct contents {
  std::uint64_t weighing;
  pnn node;
};
/// Whether it will be filled before it joins.
struct joining {
  std::uint64_t weighing;
  pnn node;
};
}  // namespace question

using leader_question =
    std::variant<question::nothing, question::poll, question::is_floe, question::ban_generation,
                 question::ban_flags, question::banned, question::participant,
                 question::participant_leaves, question::participant_known, question::own_flags,
                 question::takeover, question::memory, question::contents, question::joining>;

}  // namespace floe
