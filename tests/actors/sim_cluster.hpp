#pragma once
/// The simulated cluster as tests use it: clients that connect at once, requests that run to their end, all logs kept.
#include <list>
#include <string>
#include <vector>

#include "actors/client/client.hpp"
#include "actors/client/records.hpp"
#include "actors/sim/simulated_cluster.hpp"

namespace floe::test {

using namespace std::chrono_literals;

/// Simulations are some fifty times slower under AddressSanitizer: there a few seeds have to do, the optimised build
/// plays all of them.
#ifdef FLOE_SANITIZED
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
  explicit sim_cluster(std::size_t nodes, std::uint64_t seed = 1)
      : sim_cluster(nodes, seed, options{}) {}
  sim_cluster(std::size_t nodes, std::uint64_t seed, options);

  event_loop& loop() { return cluster_.loop(); }
  time_point loop_now() const { return cluster_.now(); }
  sim_switch& net() { return cluster_.net(); }
  sim_lock_store& locks() { return cluster_.locks(); }
  std::string ip(std::size_t n) const { return cluster_.ip(n); }
  std::size_t size() const { return cluster_.size(); }

  void start(std::size_t n);
  void kill(std::size_t n) { cluster_.kill(n); }
  /// As by SIGTERM; whether it ended in time.
  bool shut_down(std::size_t n, duration limit) { return cluster_.shut_down(n, limit); }
  bool alive(std::size_t n) const { return cluster_.alive(n); }
  /// As by SIGSTOP.
  void pause(std::size_t n) { cluster_.pause(n); }
  void resume(std::size_t n) { cluster_.resume(n); }
  /// Nobody hears anything of it, and it of nobody. Its connections stay.
  void hang(std::size_t n) { cluster_.isolate(n); }
  request_ids& ids(std::size_t n) { return cluster_.ids(n); }
  scripted_faults& disk(std::size_t n) { return cluster_.disk(n); }
  void write_nodes_file(const std::vector<std::string>& lines) { cluster_.write_nodes_file(lines); }
  std::size_t add_host() { return cluster_.add_host(); }
  std::size_t leader();

  /// A connected client of node n; the cluster owns it.
  client& connect(std::size_t n, bool record_tables = false);
  void disconnect(client&);

  /// The node's report (`floe status`) as JSON text.
  std::string status(std::size_t n);
  /// Runs until all living nodes are in recovery mode NORMAL, at one generation, with all databases thawed.
  bool settle(duration limit = 60s);
  bool normal();

  template <class Done>
  bool run(Done done, duration limit = 60s) {
    return cluster_.run(done, limit);
  }
  /// The next start of the node finds that this file is damaged.
  void damage(std::size_t n, const std::string& name) { cluster_.damage(n, name); }
  /// Lines of all nodes' logs, "pnn line".
  const std::vector<std::string>& log() const { return log_; }
  node_config& config(std::size_t n) { return cluster_.config(n); }

 private:
  std::vector<std::string> log_;
  simulated_cluster cluster_;
  std::list<client> guests_;
};

/// Requests that are run to their end at once.
db_id attach_now(sim_cluster&, client&, const std::string& name);
locked_record lock_now(sim_cluster&, client&, db_id, const std::string& key);
void store_now(sim_cluster&, client&, std::uint64_t lock_id, const std::string& data,
               after_write = after_write::unlock);
void unlock_now(sim_cluster&, client&, std::uint64_t lock_id);
read_record_answer read_now(sim_cluster&, client&, db_id, const std::string& key,
                            read_from = read_from::owner);
void write_now(sim_cluster&, client&, db_id, const std::string& key, const std::string& data);

/// Nothing but time.
inline void pass(sim_cluster& c, duration d) {
  const auto end = c.loop_now() + d;
  c.run([&] { return c.loop_now() >= end; }, d);
}

}  // namespace floe::test
