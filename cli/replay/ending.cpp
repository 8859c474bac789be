/// Steps 4 and 5: the holder finishes, the node comes back, every record is read on every node.
#include <fmt/format.h>

#include "cli/replay/world.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe::cli {
namespace {

bool node_returns(world& w) {
  const auto begin = w.now();
  if (!w.start_node(world::victim) || !w.become_healthy() || !w.connect()) return false;
  const auto map = w.scene.control<control::getvnnmap>(world::victim, {});
  return w.expect(map && map->value.slots.size() == world::nodes,
                  fmt::format("node {} is back and tracks records again", world::victim),
                  w.since(begin));
}

bool read_everything(world& w) {
  const auto begin = w.now();
  const std::size_t all = 2 * world::nodes * w.options.records;
  comparison sum;
  for (std::size_t n = 0; n < world::nodes; ++n)
    for (const auto* d : {&w.locking, &w.brlock}) {
      const auto c = read_all(w.scene, n, *d, [&, before = sum.read](std::size_t k) {
        w.report.progress("records are read", before + k, all);
      });
      if (!c)
        return w.expect(false,
                        fmt::format("{} is read on node {}: {}", d->name, n, c.error().describe()));
      sum.read += c->read;
      sum.missing += c->missing;
      sum.different += c->different;
      if (sum.example.empty()) sum.example = c->example;
    }
  return w.expect(
      sum.missing == 0 && sum.different == 0 && sum.read == all,
      fmt::format("{} records read, every record on every node: {} lost, {} old{}", sum.read,
                  sum.missing, sum.different, sum.example.empty() ? "" : "; " + sum.example),
      w.since(begin));
}

}  // namespace

bool write_and_let_go(world& w) {
  const auto begin = w.now();
  auto& first = w.locking.records[w.first_key] = value_of(w.first_key, w.locking.name, "by smbd");
  auto& second = w.brlock.records[w.second_key] = value_of(w.second_key, w.brlock.name, "by smbd");
  const bool good = w.smbd_does(fmt::format("store first \"{}\"", first)) &&
                    w.smbd_does(fmt::format("store second \"{}\"", second)) &&
                    w.smbd_does("unlock second") && w.smbd_does("unlock first");
  if (!w.expect(good, "smbd writes both records and gives the locks back", w.since(begin)))
    return false;
  const auto normal = [&](const node_view& v) {
    return v.is_normal() && v.generation() == w.new_generation &&
           v.state(w.locking.name) == "thawed" && v.state(w.brlock.name) == "thawed";
  };
  const bool over = w.await_view(world::home, normal) && w.await_view(world::far, normal);
  w.ended_us = w.scene.loop().wall_us();
  return w.expect(
      over, fmt::format("{} freezes, recovers, thaws; recovery mode is NORMAL", w.locking.name),
      w.since(begin));
}

bool bring_the_node_back(world& w) { return node_returns(w) && read_everything(w); }

}  // namespace floe::cli
