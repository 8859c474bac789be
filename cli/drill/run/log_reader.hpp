#pragma once
/// Reads what nodes log about themselves: when databases served nobody, and when generations moved.
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "actors/event_line.hpp"
#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

class log_reader {
 public:
  /// `bans_allowed`: whether the drill has banned this node, or allows its ban.
  /// `left`: told of a node that has left, and whether in good order.
  log_reader(observations& into, std::function<bool(std::size_t node)> bans_allowed,
             std::function<void(std::size_t node, bool handed_over)> left)
      : seen_(into), bans_allowed_(std::move(bans_allowed)), left_(std::move(left)) {}
  void line(time_us, std::size_t node, std::string_view text);
  /// Whether the node has logged this text since then.
  bool said(std::size_t node, std::string_view text, time_us since) const;
  /// Databases that serve nobody right now, by node and name, since when.
  const std::map<std::pair<std::size_t, std::string>, time_us>& closed() const { return closed_; }
  /// The node has ended: what it was in the middle of is over.
  void gone(time_us, std::size_t node);

 private:
  void frozen(time_us, std::size_t node, const event_line&);
  void flags(time_us, std::size_t node, const event_line&);
  void map_changed(time_us, std::size_t node, const event_line&);
  void resent(time_us, std::size_t node, const event_line&);
  void pull(time_us, const event_line&);
  void commit(time_us, std::size_t node, const event_line&);
  struct burst {
    time_us since = 0;
    unsigned times = 0;
  };
  void back_in(time_us, std::size_t node);

  struct logged {
    time_us at;
    std::string text;
  };
  observations& seen_;
  std::map<std::size_t, std::deque<logged>> lines_;  ///< the last ones of each node
  std::function<bool(std::size_t)> bans_allowed_;
  std::function<void(std::size_t, bool)> left_;
  std::map<std::pair<std::size_t, std::string>, time_us>
      closed_;                          ///< since when, by node and database
  std::map<std::size_t, bool> active_;  ///< recovery mode, by node
  std::map<std::size_t, std::uint32_t> generation_;
  std::map<std::size_t, time_us> out_since_;  ///< stopped or banned nodes
  std::map<std::tuple<std::size_t, std::string, std::string>, burst>
      resent_;  ///< by node, database and key
};

}  // namespace floe::cli::drill
