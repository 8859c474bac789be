/// Step 1: three nodes, two databases, a lock.
#include <fmt/format.h>

#include "actors/client/recovery_wait.hpp"
#include "cli/cluster/processes.hpp"
#include "cli/replay/world.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe::cli {
namespace {

/// Of the leader for one step; short, so that a deadlock is found soon.
constexpr std::uint32_t recover_timeout_s = 3;

bytes key_of(std::size_t i) { return fmt::format("record-{:05}", i); }

bool start_cluster(world& w) {
  auto k = make_cluster({.dir = w.options.dir,
                         .nodes = world::nodes,
                         .prefix = {},
                         .extra_settings = w.options.freeze_all ? "freeze all first = true\n" : "",
                         .tunables = {{"RecoverTimeout", recover_timeout_s}}});
  if (!k) return w.expect(false, k.error());
  w.cluster = std::move(*k);
  w.pids.assign(world::nodes, 0);
  // the oldest node wins the election: smbd's node shall not lead, nor the one that dies
  return w.start_node(world::far) && w.await([&] {
    return node_process(w.cluster, world::far) || has_ended(w.pids[world::far]);
  }) && w.start_node(world::home) &&
         w.start_node(world::victim);
}

/// So that it is as the story says, also when the election has gone another way.
bool settle_leader(world& w) {
  const auto v = w.view(world::home);
  if (v && v->leader() == world::far) return true;
  const auto allow_others = [&](std::uint32_t yes) {
    for (const std::size_t n : {world::home, world::victim})
      if (!w.scene.control<control::set_recmasterrole>(n, yes)) return false;
    return true;
  };
  const auto led = [](const node_view& x) { return x.leader() == world::far && x.is_normal(); };
  return (allow_others(0) && w.await_view(world::home, led) && allow_others(1)) ||
         w.expect(false, fmt::format("node {} leads", world::far));
}

bool attach_everywhere(world& w, database_content& d) {
  for (std::size_t n = 0; n < world::nodes; ++n) {
    const auto id = w.scene.wait<db_id>([&](auto done) {
      attach(w.scene.node(n), d.name, db_kind::volatile_db, world::patience, done);
    });
    if (!id)
      return w.expect(
          false, fmt::format("{} is attached on node {}: {}", d.name, n, id.error().describe()));
    d.id = *id;
  }
  return true;
}

bool fill(world& w) {
  const auto begin = w.now();
  const std::size_t count = w.options.records;
  std::size_t finished = 0;
  for (auto* d : {&w.locking, &w.brlock}) {
    if (!attach_everywhere(w, *d)) return false;
    for (std::size_t i = 0; i < count; ++i)
      d->records[key_of(i)] = value_of(key_of(i), d->name, "first");
    const auto r = write_all(w.scene, *d, std::nullopt, [&](std::size_t n) {
      w.report.progress("records are written", finished + n, 2 * count);
    });
    if (!r) return w.expect(false, fmt::format("{} is filled: {}", d->name, r.error().describe()));
    finished += count;
  }
  return w.expect(true,
                  fmt::format("{} records of 200 bytes in {} and {}, through clients of all nodes",
                              2 * count, w.locking.name, w.brlock.name),
                  w.since(begin));
}

/// A record of a volatile database lives where it was used last, and nowhere else: without this,
/// what node 1 has would be lost with it.
bool spread_copies(world& w) {
  const auto map = w.scene.control<control::getvnnmap>(world::home, {});
  if (!map || !w.scene.control<control::set_recmode>(world::home, recovery_mode::active))
    return w.expect(false, "a recovery can be asked for");
  const auto begin = w.now();
  const auto r = w.scene.wait<recovered_state>([&](auto done) {
    wait_recovered(w.scene.node(world::home), pnn::current, map->value.generation, world::patience,
                   done);
  });
  return w.expect(r.has_value(), "a recovery has given every node a copy of every record",
                  w.since(begin));
}

/// smbd's two records. The second lives on node 2, and node 1, which is going to die, tracks it.
bool choose_records(world& w) {
  const auto map = w.scene.control<control::getvnnmap>(world::home, {});
  if (!map) return w.expect(false, "the vnn map is known: " + map.error().describe());
  w.old_generation = number(map->value.generation);
  w.first_key = key_of(0);
  for (std::size_t i = 1; i < w.options.records && w.second_key.empty(); ++i)
    if (lmaster_of(map->value, key_of(i)) == pnn{world::victim}) w.second_key = key_of(i);
  if (w.second_key.empty()) return w.expect(false, "there is a record that node 1 tracks");
  w.first_line = fmt::format("lock {} {} as first", w.locking.name, w.first_key);
  w.second_line = fmt::format("& lock {} {} as second", w.brlock.name, w.second_key);

  auto& value = w.brlock.records[w.second_key];
  value = value_of(w.second_key, w.brlock.name, "by node 2");
  const auto r = write_all(
      w.scene, {.name = w.brlock.name, .id = w.brlock.id, .records = {{w.second_key, value}}},
      world::far, {});
  return r ||
         w.expect(false, fmt::format("node 2 writes {}: {}", w.second_key, r.error().describe()));
}

bool first_lock(world& w) {
  auto p = puppet::start(w.scene.loop(), w.cluster.base(world::home), "smbd");
  if (!p) return w.expect(false, "smbd starts: " + p.error());
  w.smbd = std::move(*p);
  const auto begin = w.now();
  const bool granted = w.smbd_does(w.first_line);
  return w.expect(granted,
                  fmt::format("smbd (pid {}) on node {} holds the lock of {} of {}", w.smbd->pid(),
                              world::home, w.first_key, w.locking.name),
                  w.since(begin));
}

}  // namespace

bool start_and_fill(world& w) {
  return start_cluster(w) && w.become_healthy() && w.connect() && settle_leader(w) && fill(w) &&
         spread_copies(w) && choose_records(w) && first_lock(w);
}

}  // namespace floe::cli
