#pragma once
/// This node leaves the cluster in good order: protocol/rules/departure.hpp decides, this service asks for the recovery, waits for
/// it, and then lets the node be stopped or banned, or end.
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/membership/membership.hpp"
#include "actors/node/node_port.hpp"
#include "protocol/rules/departure.hpp"

namespace floe {

class departing {
 public:
  departing(node_port& port, calls& others, membership& members)
      : port_(port), calls_(others), membership_(members) {}

  /// The process is to end: calls `then` when the node has left, at once if it is called again.
  void end(std::function<void()> then);
  void view_changed();
  departure state() const { return state_; }
  bool is_leaving() const { return state_ == departure::asked || state_ == departure::without; }

  /// How the node is taken out while its process goes on: by an operator, or by itself.
  enum class way : std::uint8_t { stopped, banned, cannot_store };
  /// Calls `then`, which makes the node inactive, when it has left; at once if it is asked for in the same way again, by somebody
  /// who has waited for that (hurried_after).
  void take_out(way, std::function<void(bool handed_over)> then);
  bool takes_out(way w) const { return taken_out_.contains(w); }

  void stop_node(const answer_to<control::stop_node>&);
  void continue_node(const answer_to<control::continue_node>&);
  void end_recovery(const answer_to<control::end_recovery>&);

 private:
  void leave(std::function<void(bool handed_over)> then);
  void begin_to_leave();
  void wait_for_those_who_come();
  void stay_for_now();
  std::string_view why_it_leaves() const;
  bool has_something() const;
  bool can_hand_over() const;
  void remember_who_left();
  std::vector<pnn> who_comes() const;
  void take_in(const std::vector<pnn>&);
  bool somebody_stays() const;
  void recovered(generation);
  void feed(departure_event);
  void be_patient();
  void left(bool handed_over);
  void is_out(bool handed_over);

  node_port& port_;
  calls& calls_;
  membership& membership_;
  departure state_ = departure::stays;
  generation map_ = generation::invalid;   ///< that was seen last
  std::vector<pnn> members_before_;        ///< of the map that it begins to leave
  generation seen_ = generation::invalid;  ///< of the map that these are the members of
  std::vector<pnn> seen_members_;
  std::set<pnn> has_left_;
  std::uint32_t roles_ = 0;  ///< to be had again by a node that was stopped
  std::function<void(bool)> then_;
  std::map<way, std::function<void(bool)>> taken_out_;
  timer_id patience_{0};
  time_point since_;
  bool ends_ = false;        ///< the process does, and not only the membership
  bool continues_ = false;   ///< asked to before it had left
  std::uint64_t waits_ = 0;  ///< the patience of an earlier one counts no more
};

}  // namespace floe
