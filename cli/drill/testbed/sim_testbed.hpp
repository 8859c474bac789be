#pragma once
/// A drill in simulation: whole nodes in this process on virtual time. It can do everything.
#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/sim/simulated_cluster.hpp"
#include "cli/drill/language/script.hpp"
#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli::drill {

class sim_testbed final : public testbed {
 public:
  sim_testbed(const script&, std::uint64_t seed);

  void set_witness(witness) override;
  std::optional<std::string> cannot(ability) const override { return std::nullopt; }
  /// What must be true at every moment was not (actors/sim/invariants.hpp).
  std::optional<std::string> broken() const override { return clash_; }

  std::size_t size() const override { return cluster_.size(); }
  node_kind kind(std::size_t) const override { return node_kind::floe; }
  std::string socket(std::size_t n) const override { return cluster_.config(n).socket; }
  event_loop& loop() override { return cluster_.loop(); }
  network& client_network() override { return cluster_.client_network(); }
  std::int64_t now_us() const override { return cluster_.now_us(); }

  std::expected<void, std::string> start(std::size_t n) override;
  void kill(std::size_t n) override { cluster_.kill(n); }
  bool shut_down(std::size_t n, duration limit) override { return cluster_.shut_down(n, limit); }
  void pause(std::size_t n) override;
  void resume(std::size_t n) override;
  bool alive(std::size_t n) const override { return cluster_.alive(n); }
  bool paused(std::size_t n) const override { return cluster_.paused(n); }

  void set_disk_full(std::size_t n, bool full) override { cluster_.disk(n).set_full(full); }
  void fail_disk(std::size_t n, disk_fault, std::uint64_t nth) override;
  void set_disk_delay(std::size_t n, duration d) override { cluster_.set_disk_delay(n, d); }
  void mend_disk(std::size_t n) override;
  void set_skew(std::size_t n, duration d) override { cluster_.set_skew(n, d); }

  bool break_lock(lock_fault, std::size_t n) override;
  void keep_lock_after_death(duration d) override { cluster_.locks().set_stale(d); }
  void mend_lock() override;

  std::size_t add_node() override;
  void delete_node(std::size_t n) override;

  void cut_one_way(std::size_t from, std::size_t to) override;
  void set_link(std::size_t from, std::size_t to, link_quality) override;
  void reset_links(std::size_t a, std::size_t b) override;
  void knock(std::size_t from, std::size_t at) override;
  void heal() override;

 private:
  void write_nodes();
  void clashed(const std::string& line);

  witness witness_;
  std::optional<std::string> clash_;
  std::set<std::size_t> deleted_;
  std::uint64_t pauses_ = 0;
  std::vector<std::shared_ptr<connection>> strangers_;  ///< that have knocked
  std::map<std::size_t, std::uint64_t> pause_of_;       ///< paused nodes: which pause it is
  simulated_cluster cluster_;
};

}  // namespace floe::cli::drill
