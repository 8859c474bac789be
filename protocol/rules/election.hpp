#pragma once
/// Who leads, settled by CTDB's vote without a cluster lock. A machine of event and state, one per
/// node.
///
///                    leader silent or gone, a second leader insists, a vote or "unknown leader"
///                    heard
///      ┌─────────┐ ─────────────────────────────────────────────────────────► ┌──────────┐
///      │ settled │                                                            │ electing │
///      └─────────┘ ◄───────────────────────────────────────────────────────── └──────────┘
///                    no vote for `vote_end`: the last winner leads; or it is heard leading
///
/// * The leader says so every `broadcast` to all connected nodes. Who hears nothing of it for
///   `leader_timeout` calls an election: "unknown leader", then a vote, to all nodes.
/// * A node that would win against a vote it hears sends its own `answer_delay` later; one that
///   would lose follows the sender. It wins if it can lead and the sender is inactive, or is
///   younger (later priority time), or is as old and has the lower pnn. The number of connected
///   nodes is sent but decides nothing.
/// * A claim of somebody other than the known leader may be stale (there is no term on the wire),
/// so
///   it is believed only when nobody is known, or when it is repeated while the known leader is
///   silent. A leader that hears a rival twice calls an election.
///
/// Every armed timer has a serial number; one that fires late has no effect.
/// Two `election_state`s suffice for the vote; a race for a cluster lock would be a third.
///
/// Source: Samba ctdb/server/ctdb_recoverd.c (leader broadcast and election handlers).
/// Differences: stale claims, see above; the loss of the leader's connection is an event of its
/// own; a leader that may not lead any more calls the election itself; nodes that cannot lead call
/// none; nobody stays in an election for ever; recovery mode is not touched: who leads is one
/// question, whether data needs recovery another.
#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

enum class election_state : std::uint8_t { settled, electing };
std::string_view name(election_state);

struct election_delays {
  duration broadcast = std::chrono::seconds(1);
  duration leader_timeout = std::chrono::seconds(5);
  duration answer_delay = std::chrono::milliseconds(500);
  duration vote_end = std::chrono::seconds(3);
};

/// When a node started, or ceased to be inactive; the oldest wins. As on the wire.
struct priority_time {
  std::uint64_t seconds = 0, microseconds = 0;
  auto operator<=>(const priority_time&) const = default;
};

struct vote {
  pnn node{0};
  bool inactive = false;  ///< one of the inactive bits is in the sender's flags
  priority_time priority;
  std::uint32_t connected = 0;  ///< nodes it is connected to; 0 if it cannot lead
  bool operator==(const vote&) const = default;
};

/// A node's own situation.
struct standing {
  bool can_lead = false;  ///< see can_be_leader
  bool inactive = false;
  priority_time priority;  ///< the present moment while it cannot lead
  std::uint32_t connected = 0;
};

/// Active, and with the leader capability.
constexpr bool can_be_leader(bool inactive, bool leader_capability) {
  return !inactive && leader_capability;
}

/// Whether this node wins against the vote of another.
bool wins_against(pnn self, const standing& own, const vote& other);

enum class election_timer : std::uint8_t {
  broadcast,      ///< time to say who leads
  leader_silent,  ///< the leader was not heard
  answer,         ///< time to answer votes this node wins against
  vote_end,       ///< no vote was heard for a while
};

namespace election_event {
struct start {};
struct standing_changed {
  standing now{};
};
struct leader_heard {  ///< a leader broadcast of another node
  pnn from{0};
  pnn leader = pnn::unknown;
};
struct vote_heard {
  vote cast{};
};
struct node_gone {  ///< a connection is lost
  pnn node{0};
};
struct fired {
  election_timer timer{};
  std::uint64_t serial = 0;
};
}  // namespace election_event

using election_input = std::variant<election_event::start, election_event::standing_changed,
                                    election_event::leader_heard, election_event::vote_heard,
                                    election_event::node_gone, election_event::fired>;

namespace election_effect {
struct arm {  ///< send `fired` after this time; replaces an earlier arming of this timer
  election_timer timer{};
  std::uint64_t serial = 0;
  duration after{};
};
struct send_leader {  ///< leader broadcast to all connected nodes
  pnn leader = pnn::unknown;
};
struct send_vote {  ///< to all nodes
  vote cast{};
};
struct leader_changed {
  pnn from = pnn::unknown, to = pnn::unknown;
};
}  // namespace election_effect

using election_output = std::variant<election_effect::arm, election_effect::send_leader,
                                     election_effect::send_vote, election_effect::leader_changed>;

class election {
 public:
  election(pnn self, const election_delays& delays) : self_(self), delays_(delays) {}

  std::vector<election_output> step(const election_input& event);

  election_state state() const { return state_; }
  /// The node that leads, as far as known. A leader keeps its office during an election it wins.
  pnn leader() const { return leader_; }
  /// May act as leader now. While it leads but is challenged, it starts nothing new.
  bool leads() const { return leader_ == self_ && state_ == election_state::settled; }

 private:
  void on(const election_event::start&);
  void on(const election_event::standing_changed&);
  void on(const election_event::leader_heard&);
  void on(const election_event::vote_heard&);
  void on(const election_event::node_gone&);
  void on(const election_event::fired&);

  void say_who_leads();
  void leader_is_silent();
  void answer();
  void end_of_votes();
  void call_election();
  void rival_heard(pnn);
  void follow(pnn leader);
  void set_leader(pnn);
  void arm(election_timer, duration);
  void disarm(election_timer t) { armed_[static_cast<std::size_t>(t)] = 0; }
  bool is_armed(election_timer t) const { return armed_[static_cast<std::size_t>(t)] != 0; }

  pnn self_;
  election_delays delays_;
  standing own_;
  election_state state_ = election_state::settled;
  pnn leader_ = pnn::unknown;
  pnn candidate_ = pnn::unknown;  ///< winner of the running election so far
  pnn rival_ = pnn::unknown;      ///< claims to lead beside the known leader
  unsigned rival_claims_ = 0;
  std::array<std::uint64_t, 4> armed_{};  ///< serial of each armed timer, 0: not armed
  std::uint64_t last_serial_ = 0;
  std::vector<election_output> out_;  ///< of the step under way
};

}  // namespace floe
