#pragma once
/// Whole nodes in one process on virtual time: the production actors, with nothing replaced but
/// time, chance, network and disk. Everything that happens follows from the seed.
///
/// All members are called from outside of the loop, between two calls of `run`.
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/client/client.hpp"
#include "actors/environment.hpp"
#include "actors/health/file_checks.hpp"
#include "actors/lock/sim_cluster_lock.hpp"
#include "actors/net/sim_network.hpp"
#include "actors/node/start_node.hpp"
#include "actors/sim/invariants.hpp"
#include "actors/sim/node_loop.hpp"
#include "actors/sim/scratch.hpp"
#include "storage/faults.hpp"

namespace floe {

struct simulation_options {
  std::size_t nodes = 3;
  std::uint64_t seed = 1;
  bool cluster_lock = false;  ///< one in `locks()`
  quorum_rule quorum = quorum_rule::lock;
  std::function<void(node_config&)> configure = nullptr;  ///< each node's, before its first start
  /// Every line that a node logs, with the virtual time in microseconds.
  std::function<void(std::int64_t us, std::size_t node, log_level, std::string_view)> log = nullptr;
  /// Two events that must never be true together (invariants.hpp). Nobody listens: the process aborts.
  std::function<void(const std::string& line)> clash = nullptr;
};

class simulated_cluster {
 public:
  /// Starts nothing yet.
  explicit simulated_cluster(simulation_options);
  ~simulated_cluster();
  simulated_cluster(const simulated_cluster&) = delete;

  event_loop& loop() { return *loop_; }
  time_point now() const { return loop_->now(); }
  /// Of virtual time, since the beginning.
  std::int64_t now_us() const;
  sim_switch& net() { return *switch_; }
  sim_lock_store& locks() { return *locks_; }
  std::size_t size() const { return hosts_.size(); }
  const std::string& ip(std::size_t n) const { return hosts_[n].ip; }
  node_config& config(std::size_t n) { return hosts_[n].config; }
  /// Numbers of requests are given out by this; the node must be alive.
  request_ids& ids(std::size_t n) { return hosts_[n].up->ids; }

  /// Every node's nodes file; a line is an address or starts with '#'. Read by a node that starts or is told to.
  void write_nodes_file(const std::vector<std::string>& lines);
  /// A host for a line that is appended to the nodes file; not started.
  std::size_t add_host();
  const node_config& config(std::size_t n) const { return hosts_[n].config; }

  void start(std::size_t n);
  /// As SIGKILL: gone between two messages, nothing said to anybody. Its files stay.
  void kill(std::size_t n);
  /// As SIGTERM: takes itself down; false if it has not within the limit, and is killed.
  bool shut_down(std::size_t n, duration limit);
  /// As SIGSTOP and SIGCONT.
  void pause(std::size_t n);
  void resume(std::size_t n);
  bool alive(std::size_t n) const { return hosts_[n].up != nullptr; }
  bool paused(std::size_t n) const { return alive(n) && hosts_[n].up->loop->paused(); }
  bool responsive(std::size_t n) const { return alive(n) && !paused(n); }

  /// The next start of the node finds that the file of this database is damaged.
  void damage(std::size_t n, const std::string& database) { damaged_.insert({n, database}); }
  scripted_faults& disk(std::size_t n) { return *hosts_[n].disk; }
  void set_disk_delay(std::size_t n, duration);
  void set_skew(std::size_t n, duration);

  /// Nobody hears anything from it, and it from nobody; what is sent waits.
  void isolate(std::size_t n);
  /// The nodes of the list on one side, all others on the other.
  void split(const std::vector<std::size_t>& side);
  /// Two sides that do not hear each other, and one node that hears both.
  void bridge(std::size_t middle, const std::vector<std::size_t>& side);

  bool run(const std::function<bool()>& done, duration limit) {
    return loop_->run_until(done, limit);
  }
  void pass(duration);

  /// A network of a client's own, with a name of its own; the cluster keeps it.
  network& client_network();

 private:
  struct living {
    node_loop* loop = nullptr;
    std::unique_ptr<network> net;
    std::unique_ptr<floe::log> log;
    counters count;
    request_ids ids;
    std::unique_ptr<cluster_locks> locks;
    std::unique_ptr<file_checks> checks;
    std::unique_ptr<actor_runtime> actors;
    address<node_message> node;
    bool stopped = false;
  };
  struct host {
    std::string ip;
    node_config config;
    std::unique_ptr<scripted_faults> disk;
    duration disk_delay{0}, skew{0};
    std::unique_ptr<living> up;
  };

  host make_host(std::size_t n) const;
  void clash(const std::string& line) const;

  simulation_options options_;
  scratch_directory dir_;
  std::unique_ptr<event_loop> loop_;
  std::unique_ptr<sim_switch> switch_;
  std::unique_ptr<sim_lock_store> locks_;
  std::unique_ptr<invariants> invariants_;
  std::list<node_loop>
      loops_;  ///< of all nodes that ever were: the world may still hold their jobs
  std::vector<host> hosts_;
  std::set<std::pair<std::size_t, std::string>> damaged_;
  std::list<std::unique_ptr<network>> client_networks_;
  std::uint64_t starts_ = 0;
};

}  // namespace floe
