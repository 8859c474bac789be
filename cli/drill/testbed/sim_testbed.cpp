#include "cli/drill/testbed/sim_testbed.hpp"

#include <cerrno>
#include <utility>

#include "actors/lock/process_lock.hpp"

namespace floe::cli::drill {

namespace {

constexpr std::uint16_t ctdb_port = 4379;  ///< of all simulated nodes
/// A holder looks after its lock now and then.
constexpr duration robbery_shows = std::chrono::seconds(3);
}  // namespace

sim_testbed::sim_testbed(const script& s, std::uint64_t seed)
    : cluster_(
          {.nodes = s.nodes,
           .seed = seed,
           .cluster_lock = s.cluster_lock,
           .quorum = s.quorum,
           .configure =
               [&s](node_config& c) {
                 c.freeze_all_first = s.freeze_all;
                 for (const auto& [name, value] : s.tunables) c.tunables.set(name, value);
               },
           .log =
               [this](std::int64_t us, std::size_t node, log_level level, std::string_view line) {
                 if (witness_.log) witness_.log(us, node, level, line);
               },
           .clash = [this](const std::string& line) { clashed(line); }}) {}

/// Told like a line of the node whose event was the second one; the first clash fails the drill.
void sim_testbed::clashed(const std::string& line) {
  if (!clash_) clash_ = "at every moment: " + line;
  if (witness_.log) witness_.log(cluster_.now_us(), 0, log_level::error, "clash " + line);
}

void sim_testbed::set_witness(witness w) {
  witness_ = std::move(w);
  cluster_.net().set_tap([this](const sim_switch::sighting& p) {
    if (p.local && witness_.client_packet) witness_.client_packet(p.to, p.stream, p.packet);
  });
}

std::expected<void, std::string> sim_testbed::start(std::size_t n) {
  cluster_.start(n);
  return {};
}

/// A node that hangs does not renew its lease of the cluster lock.
void sim_testbed::pause(std::size_t n) {
  const duration lease = process_lock_options{}.lease;
  const auto which = pause_of_[n] = ++pauses_;
  cluster_.pause(n);
  cluster_.loop().after(lease, [this, n, which] {
    const auto now = pause_of_.find(n);
    if (now != pause_of_.end() && now->second == which && cluster_.paused(n))
      cluster_.locks().expire(cluster_.ip(n));
  });
}

void sim_testbed::resume(std::size_t n) {
  pause_of_.erase(n);
  cluster_.resume(n);
}

bool sim_testbed::break_lock(lock_fault what, std::size_t n) {
  auto& l = cluster_.locks();
  switch (what) {
    case lock_fault::lost: l.lose(); return false;
    case lock_fault::stolen:
      l.make_stale();
      cluster_.loop().after(robbery_shows, [&l] { l.tell_robbed(); });
      return true;
    case lock_fault::stranger: {
      const bool forgotten = l.held_by_a_node();
      l.hold_by_stranger(true);
      return forgotten;
    }
    case lock_fault::wedged: l.wedge(cluster_.ip(n), true); return false;
    case lock_fault::unreachable: l.fail(cluster_.ip(n), true); return false;
  }
  std::unreachable();
}

void sim_testbed::mend_lock() {
  auto& l = cluster_.locks();
  l.hold_by_stranger(false);
  l.set_stale({});
  for (std::size_t n = 0; n < size(); ++n) {
    l.wedge(cluster_.ip(n), false);
    l.fail(cluster_.ip(n), false);
  }
}

void sim_testbed::write_nodes() {
  std::vector<std::string> lines;
  for (std::size_t n = 0; n < size(); ++n)
    lines.push_back((deleted_.contains(n) ? "#" : "") + cluster_.ip(n));
  cluster_.write_nodes_file(lines);
}

std::size_t sim_testbed::add_node() {
  const auto n = cluster_.add_host();
  write_nodes();
  return n;
}

void sim_testbed::delete_node(std::size_t n) {
  deleted_.insert(n);
  write_nodes();
}

void sim_testbed::fail_disk(std::size_t n, disk_fault what, std::uint64_t nth) {
  cluster_.disk(n).fail(what == disk_fault::flush ? disk_op::flush : disk_op::write, nth, EIO);
}

void sim_testbed::mend_disk(std::size_t n) {
  cluster_.disk(n).set_full(false);
  cluster_.disk(n).fail(disk_op::open, 0);
  cluster_.set_disk_delay(n, {});
}

void sim_testbed::cut_one_way(std::size_t from, std::size_t to) {
  cluster_.net().cut_one_way(cluster_.ip(from), cluster_.ip(to));
}

void sim_testbed::set_link(std::size_t from, std::size_t to, link_quality q) {
  sim_path p;
  if (q.delay > duration{0}) {
    p.shortest = q.delay / 2;
    p.longest = q.delay * 3 / 2;
  }
  p.loss = q.loss;
  p.bytes_per_second = q.bytes_per_second;
  cluster_.net().set_path(cluster_.ip(from), cluster_.ip(to), p);
}

void sim_testbed::reset_links(std::size_t a, std::size_t b) {
  cluster_.net().reset_streams(cluster_.ip(a), cluster_.ip(b));
}

void sim_testbed::knock(std::size_t from, std::size_t at) {
  const auto host = cluster_.net().attach(cluster_.ip(from));
  strangers_.push_back(host->connect({cluster_.ip(from), 0}, {cluster_.ip(at), ctdb_port}, {}, {}));
}

void sim_testbed::heal() {
  cluster_.net().heal();
  cluster_.net().reset_paths();
}

}  // namespace floe::cli::drill
