#pragma once
/// What a run has shown of the nodes: which event followed which, on one node and from one node to
/// another, in which state. A run that shows something new is worth changing further.
///
/// Events are what nodes put on their timelines (actors/events.def), without numbers, names and keys; and the verbs of the drill.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli::drill {

class coverage_map {
 public:
  void log(std::size_t node, std::string_view line);
  void played(std::string_view statement);

  /// Numbers of pairs, below `size`, ascending.
  std::vector<std::uint32_t> pairs() const { return {pairs_.begin(), pairs_.end()}; }
  /// The last events of the story, each once: by that failures of one check are told apart.
  std::string last_events() const;

  static constexpr std::uint32_t size = 1 << 20;

 private:
  struct node_state {
    std::string last;
    bool active = true;              ///< recovery mode
    std::set<std::string> closed{};  ///< databases that are not thawed
  };
  void pair(std::string_view before, std::string_view after, std::string_view where);

  std::map<std::size_t, node_state> nodes_;
  std::string last_, last_verb_;
  std::size_t last_node_ = 0;
  std::vector<std::string> recent_;
  std::set<std::uint32_t> pairs_;
};

}  // namespace floe::cli::drill
