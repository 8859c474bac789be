#pragma once
/// A node that lacks much is filled before it takes part: what protocol/rules/joining.hpp says is carried out here. The
/// records go from the leader's databases straight to this node's (actors/database/fill.cpp); this service says which
/// database is next, attaches it, sets and clears the flag CATCHING_UP, and knows how far it is.
#include <cstdint>
#include <optional>
#include <string>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/membership/membership.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"
#include "protocol/rules/joining.hpp"

namespace floe {

/// How far it is, for people.
struct joining_progress {
  pnn from{0};
  std::string db;             ///< that is being filled
  std::size_t databases = 0;  ///< that are not full yet
  std::uint64_t records = 0;  ///< have come, in all databases
  std::uint64_t in_all = 0;   ///< are known to be needed
  std::int64_t ms = 0;        ///< since it began
  std::int64_t left_ms = -1;  ///< at the pace so far; -1: nobody knows yet
};

class joiner {
 public:
  joiner(node_port& port, calls& others, registry& databases, membership& cluster)
      : port_(port),
        calls_(others),
        databases_(databases),
        membership_(cluster),
        machine_(port.env.self) {}

  void leader_is(pnn leader) { feed(joining_event::leader_is{leader}); }
  void came(const database_fill&);
  void tick();
  std::optional<joining_progress> progress() const;

  void get_db_contents(const answer_to<control::get_db_contents>&);
  outcome_of<control::join> join(const request_of<control::join>&, const caller&);

 private:
  void feed(const joining_input&);
  void act(const joining_effect::leave&);
  void act(const joining_effect::fill&);
  void act(const joining_effect::rest&);
  void act(const joining_effect::ready&);
  void attach(const joining_effect::fill&);
  void fill(const joining_effect::fill&);
  void refused(fill_number, std::string why);
  /// Does it on a turn of the node.
  void on_a_turn(std::function<void()> what);

  node_port& port_;
  calls& calls_;
  registry& databases_;
  membership& membership_;
  joining machine_;
  time_point since_;
  std::uint64_t full_ = 0;  ///< records of databases that are full
  struct {
    std::uint64_t records = 0, in_all = 0;
  } now_;                               ///< of the one that is being filled
  std::uint64_t announced_ = 0;         ///< records, by the leader
  std::uint64_t bytes_per_second_ = 0;  ///< as the leader wants it
};

}  // namespace floe
