#pragma once
/// A drill on real processes: `floe node` (this program), and Debian's ctdbd where it is wanted, in a
/// directory of its own under TMPDIR that is removed at the end, with real time and, where that is
/// permitted, a network that can be cut (wire.hpp).
///
/// To be made in a process of its own, which does nothing else: it takes orphans in, watches for
/// SIGINT, SIGTERM and the like, cleans up when one comes, and ends.
#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/cluster/layout.hpp"
#include "cli/drill/language/script.hpp"
#include "cli/drill/testbed/real/limits.hpp"
#include "cli/drill/testbed/real/log_follower.hpp"
#include "cli/drill/testbed/real/tdb_records.hpp"
#include "cli/drill/testbed/real/wire.hpp"
#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli::drill {

class real_testbed final : public testbed {
 public:
  /// Makes directory and network; starts nothing yet.
  static std::expected<std::unique_ptr<testbed>, std::string> make(const script&,
                                                                   std::uint64_t seed,
                                                                   const real_options&);
  ~real_testbed() override;

  void set_witness(witness w) override { witness_ = std::move(w); }
  std::optional<std::string> cannot(ability a) const override { return limits_.cannot(a); }

  std::size_t size() const override { return nodes_.size(); }
  node_kind kind(std::size_t n) const override { return nodes_[n].kind; }
  std::string socket(std::size_t n) const override {
    return cluster_.socket(static_cast<std::uint32_t>(n));
  }
  event_loop& loop() override { return *loop_; }
  network& client_network() override { return *network_; }
  std::unique_ptr<record_access> records(std::size_t n, client&) override;
  std::int64_t now_us() const override;
  bool run(const std::function<bool()>& done, duration limit) override;

  std::expected<void, std::string> start(std::size_t n) override;
  void kill(std::size_t n) override;
  bool shut_down(std::size_t n, duration limit) override;
  void pause(std::size_t n) override;
  void resume(std::size_t n) override;
  bool alive(std::size_t n) const override { return nodes_[n].pid > 0; }
  bool paused(std::size_t n) const override { return nodes_[n].paused; }
  std::optional<std::string> broken() const override { return broken_; }

  void set_disk_full(std::size_t n, bool full) override;
  void fail_disk(std::size_t, disk_fault, std::uint64_t) override {}
  void set_disk_delay(std::size_t, duration) override {}
  void mend_disk(std::size_t n) override;
  void set_skew(std::size_t, duration) override {}

  void cut_one_way(std::size_t from, std::size_t to) override;
  void set_link(std::size_t from, std::size_t to, link_quality) override;
  void heal() override;

  std::string kept_files(bool held) override;

 private:
  struct node {
    node_kind kind = node_kind::floe;
    pid_t pid = 0;
    bool paused = false, full = false;
    std::vector<log_follower> logs;
    std::unique_ptr<tdb_node> files{};  ///< of a ctdbd
  };

  real_testbed(real_limits, bool keep);
  std::expected<void, std::string> prepare(const script&, std::uint64_t seed, const real_options&);
  std::expected<void, std::string> prepare_node(
      std::uint32_t number, node_kind,
      const std::vector<std::pair<std::string, std::uint32_t>>& tunables);
  std::expected<void, std::string> mount_disks();
  void read_logs(std::size_t n);
  /// Somebody has ended by himself.
  void look_after();
  void gone(std::size_t n);
  void clean_up();
  [[noreturn]] void interrupted(int signal);

  real_limits limits_;
  bool keep_;
  local_cluster cluster_;
  std::unique_ptr<event_loop> loop_;
  std::unique_ptr<network> network_;
  std::unique_ptr<wire> wire_;
  std::vector<node> nodes_;
  std::vector<std::string> mounts_;
  witness witness_;
  time_point began_;
  std::int64_t began_wall_us_ = 0;
  std::optional<std::string> broken_;
  int signals_ = -1;
};

}  // namespace floe::cli::drill
