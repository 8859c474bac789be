#pragma once
/// What a leader looks after: when it asks the nodes how they are, and when it recovers the cluster. A machine of
/// event and state, one per node.
///
///     following ◄─────────────── office_lost ───────────────┐
///         │ office_won                                      │
///         ▼      stirred, woke                              │
///       idle ──────────────────► polling ⇄ polling_stale ───┤
///         ▲ ▲  looked: all is well │                        │
///         │ └──────────────────────┤ looked: not all is     │
///         │ recovery_ended         ▼                        │
///         └──────────────────── recovering ─────────────────┘
///                                    │ office_lost
///                                    ▼ office_won: recovering
///                                 stopping ─ recovery_ended ─► following
///
/// * A round of questions goes to all connected nodes; one at a time. Whatever happens while it is out makes it
///   stale: another follows, if it did not lead to a recovery. An answer carries its round; that of another is late.
/// * A recovery is owed from the moment somebody wants one (`wanted`) until it begins. Obstacles: one runs, the last
///   one failed and its pause is not over, somebody has asked for no recoveries (`paused`), a node is being banned. The
///   end of each obstacle looks again.
/// * Nodes that were cut off together come back one after the other: as long as one that has just come sees somebody
///   whom the leader does not see yet, a recovery waits, `nodes_come_within` at most. One that sees members of its own
///   map whom the leader does not see belongs to a part that went on by itself, which it must not represent alone: then
///   a recovery waits longer, `parts_come_within` at most. So it does if that one has not come, but was never given up.
/// * Where there are ctdbds it also waits, for `ctdbd_links_within` at most after somebody has come, until each of them is linked
///   with everybody (late_link.hpp).
/// * Nor does one begin while a member of the last map that is not reached may still acknowledge something, or without the
///   majority that is asked for (`part`).
/// * If all is well but for nodes that are not in the map, and all are floe's, they are weighed first: who lacks much is filled
///   before it is taken in (joining.hpp), and says so; nobody recovers for its sake until it says so no more.
/// * The pause after failures in a row grows by four, from 20 ms to 5 s. So does one between recoveries that succeed, and change
///   nothing about what they were for: a peer that says of itself what no recovery can change does not keep the cluster recovering.
/// * Two may believe that they hold the cluster lock, until one of them finds out (`contradicted`): whatever one of them recovers
///   needs a recovery in the eyes of the other. Each pauses after every recovery then, for `contradicted_rest`.
///
/// Source: Samba ctdb/server/ctdb_recoverd.c, main_loop, which looks once a second and recovers at once. What needs a
/// recovery is in need_recovery.hpp, whom to ban in ban.hpp.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/cluster_recovery.hpp"
#include "protocol/rules/need_recovery.hpp"
#include "protocol/rules/quorum.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

enum class watch_state : std::uint8_t {
  following,      ///< leads not, or not for sure
  idle,           ///< leads; nothing is under way
  polling,        ///< leads; a round of questions is out
  polling_stale,  ///< ... and something has happened since
  recovering,     ///< leads; a recovery runs
  stopping,       ///< leads no more; its recovery was told to stop
};
std::string_view name(watch_state);

/// What one node said in a round. What it did not say, or nobody could read, is not there.
struct node_look {
  pnn node{0};
  std::optional<std::uint32_t> flags{};  ///< its own opinion about itself
  std::vector<std::uint32_t> others{};   ///< its opinion about all, pnn by pnn
  std::optional<recovery_mode> mode{};
  std::optional<generation> gen{};
  std::vector<pnn> map{};
  std::optional<std::uint32_t> capabilities{};
};

enum class watch_alarm : std::uint8_t { look_again, rested };

namespace watch_event {
struct office_won {};
struct office_lost {};
struct came {};       ///< a node, or several, can be reached again
struct lost_member {  ///< a node of the vnn map is lost, or one that took part beside it
  pnn node{0};
};
struct gone {  ///< any node: nobody waits for its ban
  pnn node{0};
};
struct wanted {  ///< a recovery, by somebody
  std::string why{};
};
/// Whether the part of the cluster that it reaches may be recovered now (quorum.hpp).
struct part {
  part_verdict::kind verdict = part_verdict::kind::goes_on;
  duration wait{};  ///< so long yet, if it is to wait
};
struct stirred {};  ///< something may have changed
struct looked {     ///< every node asked has answered, or will not
  std::uint64_t round = 0;
  std::vector<node_look> nodes{};
  std::vector<std::uint32_t> view{};  ///< this node's opinion about all, now
  std::vector<pnn> members{};         ///< of its generation, in the map or beside it
};
struct weighed {  ///< the effect `weigh` was carried out
  std::uint64_t weighing = 0;
  std::vector<pnn> filled_first{};  ///< these are not taken in yet
};
/// The effect `charge` was carried out, and every ban that follows from it reported.
struct charged {};
struct recovery_ended {
  recovery_epoch epoch{};
  bool good = false;
};
struct member_unfit {  ///< a participant of the recovery that runs has become inactive
  pnn node{0};
};
struct contradicted {};  ///< somebody else says that it leads, and this node holds the cluster lock
struct paused {};        ///< no recoveries for a while
struct resumed {};
struct ban_began {
  pnn node{0};
};
struct ban_ended {  ///< it is banned, or will not be
  pnn node{0};
};
struct woke {
  watch_alarm why{};
};
}  // namespace watch_event

using watch_input =
    std::variant<watch_event::office_won, watch_event::office_lost, watch_event::came,
                 watch_event::lost_member, watch_event::gone, watch_event::wanted,
                 watch_event::part, watch_event::stirred, watch_event::looked, watch_event::weighed,
                 watch_event::charged, watch_event::recovery_ended, watch_event::member_unfit,
                 watch_event::contradicted, watch_event::paused, watch_event::resumed,
                 watch_event::ban_began, watch_event::ban_ended, watch_event::woke>;

namespace watch_effect {
struct poll {  ///< ask every connected node; `looked` follows
  std::uint64_t round = 0;
};
/// Each node's opinion about itself is the truth: tell whoever sees it otherwise.
struct align_flags {};
struct
    weigh {  ///< see how much these nodes lack, and have those filled that lack much; `weighed` follows
  std::uint64_t weighing = 0;
  std::vector<pnn> nodes{};
};
struct charge {  ///< a ban credit for this node; `charged` follows
  pnn node{0};
  recovery_reason reason{};
  std::string detail{};
};
struct recover {
  recovery_epoch epoch{};
  recovery_reason cause{};
  std::string why{};  ///< the same for people
};
struct stop_recovery {};  ///< `recovery_ended` follows
struct succeeded {};      ///< the cluster is told, what was on record against nodes is forgotten
struct blame {};          ///< for the recovery that has just failed
struct wake {             ///< send `woke` after this time
  watch_alarm why{};
  duration after{};
  unsigned failures = 0;  ///< in a row, if it is the pause after them
};
}  // namespace watch_effect

using watch_output =
    std::variant<watch_effect::poll, watch_effect::align_flags, watch_effect::weigh,
                 watch_effect::charge, watch_effect::recover, watch_effect::stop_recovery,
                 watch_effect::succeeded, watch_effect::blame, watch_effect::wake>;

class leader_watch {
 public:
  /// `before`: epochs of recoveries start behind it.
  leader_watch(pnn self, recovery_epoch before) : self_(self), epoch_(number(before)) {}

  std::vector<watch_output> step(const watch_input& event, time_point now);

  watch_state state() const { return state_; }
  bool recovering() const;
  /// Whether answers of this round are still wanted.
  bool awaits(std::uint64_t round) const;
  recovery_epoch epoch() const { return recovery_epoch{epoch_}; }
  const std::string& owed() const { return wanted_; }  ///< why a recovery is owed; empty if none is
  bool is_banning(pnn node) const { return banning_.contains(node); }
  bool paused() const { return paused_; }
  bool resting() const { return resting_; }
  part_verdict::kind part() const { return part_.verdict; }

 private:
  void on(const watch_event::office_won&);
  void on(const watch_event::office_lost&);
  void on(const watch_event::came&);
  void on(const watch_event::lost_member&);
  void on(const watch_event::gone&);
  void on(const watch_event::wanted&);
  void on(const watch_event::part&);
  void on(const watch_event::stirred&);
  void on(const watch_event::looked&);
  void on(const watch_event::weighed&);
  void on(const watch_event::charged&);
  void on(const watch_event::recovery_ended&);
  void on(const watch_event::member_unfit&);
  void on(const watch_event::contradicted&);
  void on(const watch_event::paused&);
  void on(const watch_event::resumed&);
  void on(const watch_event::ban_began&);
  void on(const watch_event::ban_ended&);
  void on(const watch_event::woke&);

  bool leads() const;
  void enter(watch_state);
  void look();
  void consider(recovery_reason cause, std::string why);
  void demand(const recovery_need&);
  void try_owed();
  void owed_or_look();
  void recover_if_allowed();
  bool mesh_grows(const watch_event::looked&) const;
  bool others_may_come() const;

  pnn self_;
  watch_state state_ = watch_state::following;
  std::uint64_t round_ = 0;
  std::uint64_t epoch_;
  std::string wanted_;                             ///< why a recovery is owed; empty: none is
  recovery_reason cause_ = recovery_reason::none;  ///< of that
  bool charging_ = false;
  /// Of nodes that are being weighed; and why a recovery would take them in.
  struct weighing {
    std::vector<pnn> nodes;
    recovery_need need;
  };
  std::optional<weighing> weighing_;
  std::uint64_t weighings_ = 0;
  bool paused_ = false;
  bool resting_ = false;
  watch_event::part part_{};
  std::optional<time_point> looks_again_;  ///< when a part that waits may have waited long enough
  unsigned failures_ = 0;                  ///< in a row
  std::string demanded_;  ///< why, when somebody needed a recovery; until all is well
  unsigned uncured_ = 0;  ///< recoveries in a row that have changed nothing about that
  std::set<pnn> banning_;
  std::optional<time_point> last_arrival_;
  bool overtaken_ = false;  ///< somebody has come since nodes were looked at
  /// Since when, look by look, a node has been seen that has gone on with somebody who is not seen.
  std::optional<time_point> went_on_since_;
  std::optional<time_point> contradicted_;  ///< last
  time_point now_;
  std::vector<watch_output> out_;  ///< of the step under way
};

}  // namespace floe
