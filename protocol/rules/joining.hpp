#pragma once
/// How a node that lacks much is filled before it takes part, while the others go on: whom a leader tells to be filled,
/// and what the node does then, a machine of event and state.
///
///       out ──asked──► filling ◄────┐
///        ▲                │ broke   │ woke, leader_is
///        │ all are full,  ▼         │
///        └─ patience ── resting ────┘
///           or it is needed at once: who has what it lacks is about to leave (departure.hpp)
///
/// A leader whose cluster is well, but for nodes that are not in the map, asks them what they have. Who lacks more records
/// than it takes at once says from then on that it is CATCHING UP: it is in no map and no recovery, its databases are
/// frozen, and what they had, which counts nowhere, is gone. It fetches the content of a generation from the leader, in
/// key order, at a bounded rate. When it has all it says so no more, and the leader recovers: by difference, as ever.
///
/// What is filled is the content of *one* generation, the base, exactly: a record that the source has changed since,
/// in whatever step, does not come, only its key. Therefore
/// * the filled copy is that of a node which has missed what came after the base, and the recovery brings it all that the
///   others know to have changed since then (rule R5), and the keys that came alone;
/// * it has nothing of its own: no copy of it ever counts;
/// * any node that knows what it has changed since the base can go on where another has ended: leaders may change, and
///   recoveries commit, in the middle. Who does not know it any more says so, and the database begins again;
/// * a copy that is not full, or whose base the members have forgotten, is worth nothing: the recovery brings all.
///
/// Rule R9 of the model (tests/model/README.md). Raft calls such a node a learner. Not in CTDB, where everything is pulled
/// and pushed while all wait.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/time.hpp"
#include "protocol/types/database.hpp"

namespace floe {

/// Flag of DB_RECOVERY_BEGIN: the leader knows what change_state::filled is.
constexpr std::uint32_t begin_knows_filled = 0x0100'0000;
/// Status of DB_FILL: what was changed since the base is not known any more, or never was.
constexpr std::int32_t fill_base_unknown = -2;

struct joiner_lacks {
  db_id db{0};
  std::uint64_t records = 0;
  bool operator==(const joiner_lacks&) const = default;
};

/// What a node claims of its databases (GET_DB_CONTENTS).
struct content_claims {
  pnn node{0};
  std::span<const db_content_entry> all{};
};
/// Which databases of the leader, whose map this is, a node that claims this would have to be sent as a whole. One whose copy
/// counts, or has records that may, is not among them: a recovery has to look at it.
std::vector<joiner_lacks> what_is_lacking(const content_claims& leader, std::span<const pnn> map,
                                          const content_claims& joiner);
/// Of the content that a node has: its generation and members.
lineage lineage_of(std::span<const db_content_entry> all, db_id db);

enum class joining_state : std::uint8_t {
  out,      ///< takes part, or waits to be taken in
  filling,  ///< records of one database come
  resting,  ///< the source has not gone on with it
};
std::string_view name(joining_state);

/// Numbers what is asked for: an answer to something earlier has no effect.
enum class fill_number : std::uint64_t {};
constexpr std::uint64_t number(fill_number n) { return static_cast<std::uint64_t>(n); }

enum class fill_end : std::uint8_t {
  part,     ///< some records have come, more follow
  full,     ///< all have
  unknown,  ///< the source does not know any more what it has changed since the base
  refused,  ///< the source does not go on now, or is not reached; or they could not be stored
  gone,     ///< the source has no such database
};

namespace joining_event {
struct asked {  ///< by the leader
  pnn leader{0};
  std::vector<db_id> databases{};
};
struct came {  ///< of what was asked for
  fill_number fill{};
  fill_end what{};
  std::string why{};
};
struct leader_is {
  pnn leader = pnn::unknown;
};
struct woke {  ///< from a rest
  fill_number fill{};
};
struct ticked {};  ///< once a second
struct left {};    ///< was stopped or banned: it cannot be filled
struct needed {    ///< now: who has what it lacks is about to leave
  std::string why{};
};
struct taken_in {};  ///< a recovery with this node has ended
}  // namespace joining_event

using joining_input =
    std::variant<joining_event::asked, joining_event::came, joining_event::leader_is,
                 joining_event::woke, joining_event::ticked, joining_event::left,
                 joining_event::needed, joining_event::taken_in>;

namespace joining_effect {
struct leave {};  ///< say that it is catching up
struct fill {     ///< expects `came`
  fill_number fill{};
  db_id db{0};
  pnn from{0};
  bool anew = false;  ///< what has come so far is of no use
};
struct rest {  ///< expects `woke`
  fill_number fill{};
  duration after{};
};
struct ready {  ///< say it no more
  bool full = false;
  std::string why{};  ///< it is not full
};
}  // namespace joining_effect

using joining_output = std::variant<joining_effect::leave, joining_effect::fill,
                                    joining_effect::rest, joining_effect::ready>;

class joining {
 public:
  explicit joining(pnn self) : self_(self) {}
  std::vector<joining_output> step(const joining_input& event, time_point now);

  joining_state state() const { return state_; }
  /// Whether it can be asked. Who could not be filled, or was often enough, is taken in as it is.
  bool may_be_asked() const;
  pnn leader() const { return leader_; }
  fill_number fill() const { return fill_; }
  std::span<const db_id> left() const { return todo_; }  ///< the first one is being filled

 private:
  void on(const joining_event::asked&);
  void on(const joining_event::came&);
  void on(const joining_event::leader_is&);
  void on(const joining_event::woke&);
  void on(const joining_event::ticked&);
  void on(const joining_event::left&);
  void on(const joining_event::needed&);
  void on(const joining_event::taken_in&);

  void ask(bool anew);
  void rest();
  void next();
  void end(bool full, std::string why);
  bool out_of_patience() const;
  std::string why_no_more() const;

  pnn self_;
  joining_state state_ = joining_state::out;
  pnn leader_ = pnn::unknown;
  std::vector<db_id> todo_;
  fill_number fill_{0};
  unsigned asked_ = 0;         ///< since it was taken in last
  bool gave_up_ = false;       ///< ... and once it was not full at the end
  unsigned beginnings_ = 0;    ///< of the database that is being filled
  bool anew_ = false;          ///< the next request begins again
  bool left_out_ = false;      ///< some database could not be filled
  time_point progress_, now_;  ///< when something came last
  time_point since_leader_;    ///< when the leader became known, or was lost
  std::string last_refusal_;
  std::vector<joining_output> out_;  ///< of the step under way
};

}  // namespace floe
