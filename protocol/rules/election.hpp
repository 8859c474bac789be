#pragma once
/// Who leads: settled by CTDB's vote or, if a cluster lock is configured, by a race for it. A machine of
/// event and state, one per node.
///
///                    leader silent or gone, a second leader insists, a vote or "unknown leader"
///                    heard
///      ┌─────────┐ ─────────────────────────────────────────────────────────► ┌──────────┐
///      │ settled │                                                            │ electing │
///      └─────────┘ ◄───────────────────────────────────────────────────────── └──────────┘
///        │    ▲       no vote for `vote_end`: the last winner leads; or it is heard leading
///        │    │
///        │    │ the lock answers: taken, this node leads; contended, somebody else will say so; or
///        ▼    │ it fails, and is tried again after a pause; or a leader is heard
///      ┌─────────┐
///      │ racing  │    with a cluster lock, instead of electing; no votes then
///      └─────────┘
///
/// * The leader says so every `broadcast` to all connected nodes. Who hears nothing of it for
///   `leader_timeout` calls an election: "unknown leader", then a vote, to all nodes.
/// * A node that would win against a vote it hears sends its own `answer_delay` later; one that
///   would lose follows the sender. It wins if it can lead and the sender is inactive, or is
///   younger (later priority time), or is as old and has the lower pnn. The number of connected
///   nodes is sent but decides nothing.
/// * With a cluster lock: whoever holds it leads, and nobody else; who hears of an unknown leader
///   tries to take it. The holder stays leader through every race, and cannot be talked out of its
///   office; losing the lock ends it at once. Not getting the lock is no fault.
/// * Who finds the lock free although most of those that it worked with are out of its reach gives it back: it may be free only
///   between two of their holders. It looks again when all who have found it held have asked once more, and leads if it is
///   free then too. If it is held then, that begins anew, with a longer pause: a lock may outlive who has let it go.
/// * Every term of office has a number, later ones higher ones; floe's leaders send theirs. A claim
///   of an older term is stale: it is answered with the later term and otherwise ignored. A claim
///   of a later term is believed at once with a cluster lock; by vote it may also come from the
///   other half of a cluster that was cut, and is treated as one without a term. A leader that learns of a later term without a leader
///   takes a still later one, so that its claims are heard again.
/// * Two leaders by vote: whoever hears the other's claim of a term that is not older than its own
///   calls an election at once, before both have recovered.
/// * Where all are floe's, whoever follows a leader by vote that it has heard lately takes part in no election that somebody
///   else calls, and tells him who leads. Who calls one and does not hear that leader gives up if those who do, and the
///   leader, are more than half of all that it knows to be there; else it claims to lead, and they follow. Of two leaders who
///   do not hear each other those who hear both tell one that it is none, of the same term everywhere the same one. Without
///   that the two ends of a broken link would depose each other for ever.
/// * ctdbd sends no term: such a claim of somebody other than the known leader may be stale, so it
///   is believed only when nobody is known, or when it is repeated while the known leader is
///   silent. A leader (by vote) that hears such a rival twice calls an election.
///
/// Every armed timer and every try for the lock has a serial number; what comes late has no effect.
///
/// Source: Samba ctdb/server/ctdb_recoverd.c (leader broadcast and election handlers, cluster lock).
/// Differences: stale claims, see above; the loss of the leader's connection is an event of its
/// own; a leader that may not lead any more calls the election itself; nodes that cannot lead call
/// none; nobody stays in an election for ever; a lock that was contended while nobody leads is tried
/// again soon; recovery mode is not touched: who leads is one question, whether data needs recovery
/// another; nobody is banned.
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

enum class election_state : std::uint8_t { settled, electing, racing };
std::string_view name(election_state);

struct election_delays {
  duration broadcast = std::chrono::seconds(1);
  duration leader_timeout = std::chrono::seconds(5);
  duration answer_delay = std::chrono::milliseconds(500);
  duration vote_end = std::chrono::seconds(3);
  duration lock_retry = std::chrono::milliseconds(200);  ///< after the lock was held; doubles
  duration lock_pause = std::chrono::seconds(1);         ///< after an error of the lock; doubles
};

/// How a try for the cluster lock ended.
enum class lock_outcome : std::uint8_t {
  taken,      ///< this node holds it now
  contended,  ///< somebody else does: no fault
  failed,     ///< nobody knows: an error, or no answer in time
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
  bool only_floe = false;  ///< no ctdbd is among them
  /// More of those that it worked with are out of its reach, and may be alive, than are here; of a process that has just been
  /// started: of all nodes of the list.
  bool outnumbered = false;
};

/// Active, and with the leader capability.
constexpr bool can_be_leader(bool inactive, bool leader_capability) {
  return !inactive && leader_capability;
}

/// With a cluster lock: whether most of those that a node worked with (its last map; `here` can be reached, it among them) are
/// `away` and may be alive. They have the commits, and one that is cut off must not be quicker.
constexpr bool is_outnumbered(std::size_t here, std::size_t away) { return away > here; }

/// Whether a node that is outnumbered leaves the lock to the others. Nobody else may be left, so that ends some time after the
/// last loss: from then on it may take a lock that it has found free twice.
bool leaves_lock(duration since_loss);

/// Whether this node wins against the vote of another.
bool wins_against(pnn self, const standing& own, const vote& other);

enum class election_timer : std::uint8_t {
  broadcast,      ///< time to say who leads
  leader_silent,  ///< the leader was not heard
  answer,         ///< time to answer votes this node wins against
  vote_end,       ///< no vote was heard for a while
  lock_again,     ///< time to try for the lock once more
};

namespace election_event {
struct start {};
struct standing_changed {
  standing now{};
};
struct leader_heard {  ///< a leader broadcast of another node
  pnn from{0};
  pnn leader = pnn::unknown;
  std::optional<std::uint64_t> term;  ///< nothing: the sender has none to say
};
/// Somebody does not believe this node's claims: there has been a later term.
struct term_heard {
  std::uint64_t term = 0;
  bool led = false;  ///< and somebody leads in it, as far as the sender knows
};
struct lock_answered {
  std::uint64_t serial = 0;
  lock_outcome outcome{};
};
struct lock_lost {  ///< after it was taken
  std::uint64_t serial = 0;
};
struct lock_released {};  ///< by us: others can take it now
struct vote_heard {
  vote cast{};
};
/// Somebody follows a leader whom this node is not connected to.
struct leader_elsewhere {
  pnn from{0};
  pnn leader{0};
};
struct node_gone {  ///< a connection is lost
  pnn node{0};
};
struct fired {
  election_timer timer{};
  std::uint64_t serial = 0;
};
}  // namespace election_event

using election_input =
    std::variant<election_event::start, election_event::standing_changed,
                 election_event::leader_heard, election_event::vote_heard,
                 election_event::node_gone, election_event::fired, election_event::term_heard,
                 election_event::leader_elsewhere, election_event::lock_answered,
                 election_event::lock_lost, election_event::lock_released>;

namespace election_effect {
struct arm {  ///< send `fired` after this time; replaces an earlier arming of this timer
  election_timer timer{};
  std::uint64_t serial = 0;
  duration after{};
};
struct send_leader {  ///< leader broadcast to all connected nodes
  pnn leader = pnn::unknown;
  std::uint64_t term = 0;  ///< if it is this node
};
/// Tells a node that its claim is of an older term.
struct send_term {
  pnn to{0};
  std::uint64_t term = 0;
  bool led = false;
};
/// Tells a node that calls an election whom this one follows.
struct say_who_leads {
  pnn to{0};
  pnn leader{0};
};
/// Try for the lock; `lock_answered` follows whatever happens.
struct take_lock {
  std::uint64_t serial = 0;
};
/// Give up the lock, or the try for it. `lock_released` follows if it was held.
struct release_lock {};
/// Somebody else claims to lead although this node holds the lock.
struct contradicted {
  pnn by{0};
};
struct send_vote {  ///< to all nodes
  vote cast{};
};
struct leader_changed {
  pnn from = pnn::unknown, to = pnn::unknown;
};
}  // namespace election_effect

using election_output =
    std::variant<election_effect::arm, election_effect::send_leader, election_effect::send_vote,
                 election_effect::leader_changed, election_effect::send_term,
                 election_effect::say_who_leads, election_effect::take_lock,
                 election_effect::release_lock, election_effect::contradicted>;

class election {
 public:
  election(pnn self, const election_delays& delays, bool with_lock = false)
      : self_(self), delays_(delays), with_lock_(with_lock) {}

  std::vector<election_output> step(const election_input& event);

  election_state state() const { return state_; }
  /// The node that leads, as far as known. A leader keeps its office during an election it wins.
  pnn leader() const { return leader_; }
  /// May act as leader now. While it leads but is challenged, it starts nothing new.
  bool leads() const { return leader_ == self_ && state_ == election_state::settled; }
  /// The latest term of office that this node knows of.
  std::uint64_t term() const { return term_; }
  bool holds_lock() const { return held_; }

 private:
  void on(const election_event::start&);
  void on(const election_event::standing_changed&);
  void on(const election_event::leader_heard&);
  void on(const election_event::vote_heard&);
  void on(const election_event::node_gone&);
  void on(const election_event::fired&);
  void on(const election_event::term_heard&);
  void on(const election_event::leader_elsewhere&);
  void on(const election_event::lock_answered&);
  void on(const election_event::lock_lost&);
  void on(const election_event::lock_released&);

  void say_who_leads();
  void leader_is_silent();
  void answer();
  void end_of_votes();
  void call_election();
  bool stays_with_leader(pnn caller) const;
  void rival_heard(pnn, std::uint64_t term);
  void follow(pnn leader);
  void set_leader(pnn);
  void lead();
  void claim_of_later_term(std::uint64_t);
  void outbid(std::uint64_t term);

  // election_lock.cpp
  void announce_race();
  void race();
  void give_up_lock();
  void leave_free_lock();
  bool looks_again_later() const;
  void forget_free_lock();
  void unknown_heard_with_lock();
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
  std::uint64_t rival_term_ = 0;
  unsigned rival_claims_ = 0;
  std::set<pnn> led_elsewhere_;     ///< who follow a leader that this node does not hear
  unsigned broadcasts_missed_ = 0;  ///< of the leader, in a row
  pnn told_ =
      pnn::unknown;  ///< has been told who leads: if it claims to lead all the same, it does
  bool with_lock_;
  bool held_ = false;            ///< the cluster lock
  std::uint64_t lock_try_ = 0;   ///< serial of the try under way, or by which it is held; 0: none
  unsigned lock_tries_ = 0;      ///< without a leader, in a row
  bool found_free_ = false;      ///< the lock, while outnumbered, and not held at any look since
  unsigned held_after_all_ = 0;  ///< at a second look; without a leader, in a row
  std::uint64_t term_ = 0;
  bool answered_claim_ = false;           ///< since the last broadcast
  std::array<std::uint64_t, 5> armed_{};  ///< serial of each armed timer, 0: not armed
  std::uint64_t last_serial_ = 0;
  std::vector<election_output> out_;  ///< of the step under way
};

}  // namespace floe
