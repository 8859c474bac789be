#include "cli/drill/sim_ground.hpp"

#include <cerrno>
#include <utility>

namespace floe::cli::drill {

sim_ground::sim_ground(const script& s, std::uint64_t seed)
    : cluster_({.nodes = s.nodes,
                .seed = seed,
                .cluster_lock = s.cluster_lock,
                .configure =
                    [&s](node_config& c) {
                      for (const auto& [name, value] : s.tunables) c.tunables.set(name, value);
                    },
                .log = [this](std::int64_t us, std::size_t node, log_level level, std::string_view line) {
                  if (witness_.log) witness_.log(us, node, level, line);
                }}) {}

void sim_ground::set_witness(witness w) {
  witness_ = std::move(w);
  cluster_.net().set_tap([this](const sim_switch::sighting& p) {
    if (p.local && witness_.client_packet) witness_.client_packet(p.to, p.stream, p.packet);
  });
}

std::expected<void, std::string> sim_ground::start(std::size_t n) {
  cluster_.start(n);
  return {};
}

void sim_ground::fail_disk(std::size_t n, disk_fault what, std::uint64_t nth) {
  cluster_.disk(n).fail(what == disk_fault::flush ? disk_op::flush : disk_op::write, nth, EIO);
}

void sim_ground::mend_disk(std::size_t n) {
  cluster_.disk(n).set_full(false);
  cluster_.disk(n).fail(disk_op::open, 0);
  cluster_.set_disk_delay(n, {});
}

void sim_ground::cut_one_way(std::size_t from, std::size_t to) {
  cluster_.net().cut_one_way(cluster_.ip(from), cluster_.ip(to));
}

void sim_ground::set_link(std::size_t from, std::size_t to, link_quality q) {
  sim_path p;
  if (q.delay > duration{0}) {
    p.shortest = q.delay / 2;
    p.longest = q.delay * 3 / 2;
  }
  p.loss = q.loss;
  p.bytes_per_second = q.bytes_per_second;
  cluster_.net().set_path(cluster_.ip(from), cluster_.ip(to), p);
}

void sim_ground::heal() {
  cluster_.net().heal();
  cluster_.net().reset_paths();
}

}  // namespace floe::cli::drill
