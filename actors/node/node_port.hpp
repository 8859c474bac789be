#pragma once
/// What the services of a node know of it and may ask of it: its environment and settings, the view of the cluster,
/// sending packets, notes for log and timeline. A service is a plain class with private state; it lives as long as
/// its node and runs on its turns only.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/cluster_view.hpp"
#include "actors/environment.hpp"
#include "actors/event_line.hpp"
#include "actors/node/node_config.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/pulse.hpp"
#include "actors/recovery/leader_message.hpp"
#include "protocol/packet.hpp"
#include "protocol/tunables.hpp"

namespace floe {

/// What limits have refused, and what was dropped of what others sent; since the start or the last reset of statistics.
struct limit_counts {
  struct {
    std::uint64_t connections = 0, requests = 0, databases = 0, traverses = 0, registrations = 0;
  } refused;
  struct {
    std::uint64_t unknown_operations = 0, messages = 0, too_large = 0, relinks = 0;
  } dropped;
  struct {
    std::uint64_t late = 0;                   ///< turns of the loop above the limit of the watch
    double longest_ms = 0, most_work_ms = 0;  ///< by the clock; with a processor
    std::string longest_was;
  } turns;

  void count(link_dropped);
};

class node_port {
 public:
  node_port(node_environment, node_config);
  node_port(const node_port&) = delete;

  node_environment env;
  node_config config;
  tunable_list tunables;
  std::shared_ptr<node_pulse> pulse;
  address<node_message> self;  ///< known when the node starts
  /// Shared with answers under way: a database that ends after its node still tells those who wait.
  const std::shared_ptr<limit_counts> shared_limits = std::make_shared<limit_counts>();
  limit_counts& limits = *shared_limits;
  address<leader_message> leader;  ///< there when all persistent databases are open

  /// What follows a change of the view, and where notes go: set once, by the node.
  std::function<void(const view_ptr&)> view_changed;
  std::function<void(timeline_event)> noted;

  const cluster_view& view() const { return *view_; }
  const view_ptr& shared_view() const { return view_; }
  /// The only way in which the view changes: everybody who decides by it gets the new one.
  void change_view(const std::function<void(cluster_view&)>& change);
  /// Whoever looks at the pulse of this node knows the view as it is now.
  void show_pulse() const;
  /// Before there is anybody to be told.
  void first_view(view_ptr v) { view_ = std::move(v); }

  /// A packet to another node.
  void send(pnn to, reqid, const packet_body&, task written = nullptr) const;
  /// A packet for a client of this node.
  frame for_client(reqid, const packet_body&) const;
  frame for_client(pnn source, reqid, const packet_body&) const;
  /// Whom an address of a packet means: a node, ourselves, or everybody of a kind.
  std::vector<pnn> destinations(pnn) const;

  /// ControlTimeout, where 0 is no limit, as in ctdbd: a year.
  duration control_limit() const;

  /// Onto the timeline and into the log; `db` 0: the node as a whole.
  template <class Event>
  void note(const Event& e, db_id db = db_id{0}) const {
    noted(on_timeline(env.loop.wall_us(), e, db));
  }

 private:
  view_ptr view_;
};

}  // namespace floe
