#pragma once
/// Members of the last vnn map that a new one does not have: before this node answers for the map, each of them that it hears
/// is told, and has frozen; and what this node does when it is told so itself. What follows from what is decided in
/// protocol/rules/left_out.hpp.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"

namespace floe {

class left_out {
 public:
  left_out(node_port& port, calls& others, registry& databases)
      : port_(port), calls_(others), databases_(databases) {}

  /// The map was taken in place of `before`: answers when everybody that is not in it knows, or says who does not.
  void map_taken(const std::vector<pnn>& before, const answer_to<control::setvnnmap>&);
  enum class how : std::uint8_t {
    at_once,           ///< locks are void: nothing is acknowledged here any more
    after_the_holders  ///< as each database freezes in a recovery
  };
  /// Answers when all databases have frozen.
  void freeze_all(const answer_to<control::freeze>&, how);

 private:
  void go_on();
  void tell(pnn);
  void answered(pnn, generation of, const control_answer&);
  void end(std::string why = {});
  duration patience() const;
  duration keepalives() const;

  node_port& port_;
  calls& calls_;
  registry& databases_;
  std::map<pnn, bool> owed_;  ///< whether it was told, and has not answered
  /// The map that waits for them.
  struct waiting {
    generation gen;
    answer_to<control::setvnnmap> answer;
    time_point until;
  };
  std::optional<waiting> waits_;
  timer_id look_again_{0};
  const std::shared_ptr<const bool> here_ =
      std::make_shared<const bool>(true);  ///< for what comes later
};

}  // namespace floe
