#pragma once
/// Whether this node may be one that others go on without: its own pulse, and when it last heard whom. Shared by the actors of
/// the node, which all run on one thread. Whoever is about to acknowledge something looks here first: a node that was stopped
/// finds the questions of its clients before it finds out what the others have done meanwhile. What follows from it is in
/// protocol/rules/cut_off.hpp.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster_view.hpp"
#include "protocol/rules/cut_off.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

class node_pulse {
 public:
  explicit node_pulse(time_point now) : last_turn_(now) {}

  /// So often the databases of this node had to freeze by themselves.
  std::uint64_t cut_offs() const { return cut_offs_; }
  cut_off_cause last_cause() const { return last_cause_; }
  /// As of the last look; `none` if it is not cut off. A recovery may still have to come after that.
  cut_off_cause cause() const { return cause_; }
  time_point since() const { return since_; }
  /// The nodes of the list, for who must know whether somebody may be left out: for how long nothing has come from them, or from
  /// another leader, who may have heard them, while this node listened.
  std::vector<part_member> members(time_point now);

  /// As far as is known now, it will take itself for cut off then, should it hear nothing more, from anybody.
  time_point serves_until(time_point now);

  /// At the beginning of a turn of an actor. There is one whenever another node says something.
  void beat(time_point now);
  struct silence {
    duration others{0};      ///< floe nodes that are silent for so long are left out
    duration among_floe{0};  ///< own_silence_limit for these, which say something often
    duration with_ctdbd{0};  ///< and for ctdbds
  };
  /// The cluster is seen otherwise.
  void follow(const cluster_view&, const silence&, quorum_rule, time_point now);

  // By the links.
  void heard(pnn, time_point now);
  /// It has just connected: each has answered the other.
  void met(pnn, time_point now);
  /// It says that it has heard what was sent to it then (keepalive_mark.hpp).
  void was_heard_by(pnn, time_point sent, time_point now);
  /// It says that it leaves out who is silent for so long.
  void waits_for(pnn, duration limit);
  /// The streams to it have broken; if its process has ended that is known in a moment.
  void broken(pnn, time_point now);

 private:
  struct peer {
    time_point heard;
    time_point heard_us{};  ///< what was sent then has reached it
    bool answers = false;   ///< it tells what has reached it
    duration waits{0};      ///< for who is silent; 0: it has not said
    std::optional<time_point> broken{};
    bool floe = false;  ///< when it was last connected
  };
  void set_limits();
  void look(time_point now);
  void cut_off(cut_off_cause);
  peer& of(pnn, time_point now);
  time_point sure_of(const peer&) const;
  duration own_limit_for(duration others_wait) const;
  duration patience_of_others(duration among_floe) const;

  std::uint64_t cut_offs_ = 0;
  cut_off_cause last_cause_ = cut_off_cause::none;
  cut_off_cause cause_ = cut_off_cause::none;  ///< as of the last look: counted when it began
  time_point last_turn_, next_look_, since_;
  time_point woke_{};  ///< after it was stopped itself: before that it has listened to nobody
  quorum_rule quorum_ = quorum_rule::lock;
  std::vector<peer> peers_;
  bool takes_part_ = false, others_in_map_ = false;
  pnn self_{0}, leader_ = pnn::unknown;
  std::vector<cut_off_peer> nodes_;
  std::vector<duration> limits_;  ///< of nodes_
  std::optional<time_point> leaderless_;
  time_point vouched_{};  ///< when another leader was heard last, when it led
  silence silence_{};     ///< as this node's settings have it
  duration waited_before_{
      0};  ///< for others, until the limit was made shorter: they may not have heard of that yet
  time_point shorter_since_{};
  duration limit_{0};  ///< the shortest one: the first of the others to leave this node out
};

}  // namespace floe
