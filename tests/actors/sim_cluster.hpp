#pragma once
/// Whole nodes in one process on virtual time and a simulated network: the production actors, nothing mocked but
/// time, chance and sockets. Everything replays from the seed.
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/client/client.hpp"
#include "actors/client/records.hpp"
#include "actors/environment.hpp"
#include "actors/health/file_checks.hpp"
#include "actors/lock/sim_cluster_lock.hpp"
#include "actors/net/sim_network.hpp"
#include "actors/node/start_node.hpp"

namespace floe::test {

using namespace std::chrono_literals;

/// Simulations are some fifty times slower under AddressSanitizer: there a few seeds have to do, the optimised build
/// plays all of them.
#ifdef __SANITIZE_ADDRESS__
constexpr bool thorough = false;
#else
constexpr bool thorough = true;
#endif

class sim_cluster {
 public:
  struct options {
    bool cluster_lock = false;  ///< in `locks()`
    bool start = true;          ///< all nodes at once; else `start` each
  };
  explicit sim_cluster(std::size_t nodes, std::uint64_t seed = 1) : sim_cluster(nodes, seed, options{}) {}
  sim_cluster(std::size_t nodes, std::uint64_t seed, options);
  ~sim_cluster();

  event_loop& loop() { return *loop_; }
  time_point loop_now() const { return loop_->now(); }
  sim_switch& net() { return *switch_; }
  sim_lock_store& locks() { return *locks_; }
  std::string ip(std::size_t n) const { return nodes_[n].ip; }
  std::size_t size() const { return nodes_.size(); }

  void start(std::size_t n);
  /// As SIGKILL: gone between two messages, nothing said to anybody.
  void kill(std::size_t n);
  bool alive(std::size_t n) const { return nodes_[n].up != nullptr; }
  /// As SIGSTOP: nobody hears anything of it, and it of nobody. Its connections stay.
  void hang(std::size_t n);
  /// Numbers of requests are given out by this; the node must be alive.
  request_ids& ids(std::size_t n) { return nodes_[n].up->ids; }
  /// Writes every node's nodes file; a line is an address or starts with '#'. Nobody reads it by that.
  void write_nodes_file(const std::vector<std::string>& lines);
  /// A host for a line that was appended to the nodes file; not started.
  std::size_t add_host();
  std::size_t leader();

  /// A connected client of node n; the cluster owns it.
  client& connect(std::size_t n);
  void disconnect(client&);

  /// The node's report (`floe status`) as JSON text.
  std::string status(std::size_t n);
  /// Runs until all living nodes are in recovery mode NORMAL, at one generation, with all databases thawed.
  bool settle(duration limit = 60s);
  bool normal();

  template <class Done>
  bool run(Done done, duration limit = 60s) {
    return loop_->run_until(done, limit);
  }
  /// The next start of the node finds that this file is damaged.
  void damage(std::size_t n, const std::string& name) { damaged_.insert({n, name}); }
  /// Lines of all nodes' logs, "pnn line".
  const std::vector<std::string>& log() const { return log_; }
  node_config& config(std::size_t n) { return nodes_[n].config; }

 private:
  struct living {
    std::unique_ptr<network> net;
    std::unique_ptr<floe::log> log;
    counters count;
    request_ids ids;
    std::unique_ptr<cluster_locks> locks;
    std::unique_ptr<file_checks> checks;
    std::unique_ptr<actor_runtime> actors;
    address<node_message> node;
  };
  struct host {
    std::string ip;
    node_config config;
    std::unique_ptr<living> up;
  };
  struct guest {
    std::unique_ptr<network> net;
    std::unique_ptr<floe::client> client;
  };

  host make_host(std::size_t n) const;

  std::filesystem::path dir_;
  std::unique_ptr<event_loop> loop_;
  std::unique_ptr<sim_switch> switch_;
  std::unique_ptr<sim_lock_store> locks_;
  std::vector<host> nodes_;
  std::set<std::pair<std::size_t, std::string>> damaged_;
  std::vector<guest> guests_;
  std::vector<std::string> log_;
};

/// Requests that are run to their end at once.
db_id attach_now(sim_cluster&, client&, const std::string& name);
locked_record lock_now(sim_cluster&, client&, db_id, const std::string& key);
void store_now(sim_cluster&, client&, std::uint64_t lock_id, const std::string& data, after_write = after_write::unlock);
void unlock_now(sim_cluster&, client&, std::uint64_t lock_id);
read_record_answer read_now(sim_cluster&, client&, db_id, const std::string& key, read_from = read_from::owner);
void write_now(sim_cluster&, client&, db_id, const std::string& key, const std::string& data);

}  // namespace floe::test
