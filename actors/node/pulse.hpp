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
  /// The cluster is seen otherwise. The limits are own_silence_limit for floe nodes, which say something often, and for ctdbds.
  void follow(const cluster_view&, duration among_floe, duration with_ctdbd, quorum_rule,
              time_point now);

  // By the links.
  void heard(pnn, time_point now);
  /// The streams to it have broken; if its process has ended that is known in a moment.
  void broken(pnn, time_point now);

 private:
  struct peer {
    time_point heard;
    std::optional<time_point> broken{};
    bool floe = false;  ///< when it was last connected
  };
  void look(time_point now);
  void cut_off(cut_off_cause);
  peer& of(pnn, time_point now);

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
  duration among_floe_{0};
  duration limit_{0};  ///< the shortest one: the first of the others to leave this node out
};

}  // namespace floe
