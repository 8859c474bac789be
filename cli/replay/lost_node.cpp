/// Steps 2 and 3: a node is lost, and smbd asks for a second lock in the middle of the recovery.
#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>

#include "actors/events.hpp"
#include "cli/keys.hpp"
#include "cli/lock_picture.hpp"
#include "cli/replay/world.hpp"
#include "protocol/types/basic.hpp"

namespace floe::cli {

using nlohmann::json;

namespace {

/// Just before the nodes get the map without node 1.
constexpr const char* hold_at = "set_vnn_map";

/// The survivor that leads a recovery which is held there, with its report.
bool recovery_is_held(world& w) {
  json recovery;
  std::size_t leader = 0;
  const bool held = w.await([&] {
    for (const std::size_t n : {world::home, world::far}) {
      const auto v = w.view(n);
      if (!v) continue;
      recovery = v->recovery();
      leader = n;
      if (recovery.is_object() && recovery.value("phase", "") == hold_at) return true;
    }
    return false;
  });
  if (held) w.new_generation = recovery.value("generation", 0U);
  return w.expect(held && w.new_generation != w.old_generation,
                  held ? fmt::format("node {} leads a recovery with generation {}, after {}",
                                     leader, w.new_generation, w.old_generation)
                       : "a leader starts a recovery with a new generation",
                  w.since(w.killed_at));
}

void check_that_it_was_asked_again(world& w) {
  std::int64_t asked = 0, again = 0, thawed = 0;
  bool new_generation = false;
  for (const auto& e : w.events_since_kill({world::home})) {
    if (e.line.db != w.brlock.name) continue;
    const auto ours = [&](std::string_view key) {
      return parse_octets("0x" + std::string(key)) == w.second_key;
    };
    if (const auto m = as<event::migration_sent>(e.line); m && ours(m->key)) asked = e.t_us;
    if (const auto f = as<event::freeze_state>(e.line); f && f->to == "thawed") thawed = e.t_us;
    if (const auto m = as<event::migration_resent>(e.line); m && ours(m->key)) {
      again = e.t_us;
      new_generation = number(m->gen) == w.new_generation;
    }
  }
  const bool held = asked > 0 && again > asked && thawed > asked && new_generation;
  w.expect(
      held,
      "the request that waited was sent again under the new generation, when its database thawed",
      held ? static_cast<double>(again - asked) / 1000 : -1);
}

std::string joined(const json& names) {
  std::string out;
  for (const auto& n : names) out += (out.empty() ? "" : ", ") + n.get<std::string>();
  return out;
}

}  // namespace

bool lose_a_node(world& w) {
  if (!w.hold_recovery(hold_at)) return false;
  w.killed_us = w.scene.loop().wall_us();
  w.killed_at = w.now();
  ::kill(w.pids[world::victim], SIGKILL);
  ::waitpid(w.pids[world::victim], nullptr, 0);
  const bool active = w.await_view(world::home, [](const node_view& v) { return !v.is_normal(); });
  return w.expect(active, fmt::format("node {} is killed; recovery mode is ACTIVE", world::victim),
                  w.since(w.killed_at)) &&
         recovery_is_held(w);
}

bool want_second_lock(world& w) {
  w.smbd->tell(w.second_line);
  const auto begin = w.now();
  std::string why;
  const bool waits = w.await_view(world::home, [&](const node_view& v) {
    for (const auto& x : v.database(w.brlock.name).value("waiters", json::array()))
      if (x.value("pid", 0) == w.smbd->pid()) {
        why = x.value("why", "");
        return true;
      }
    return false;
  });
  return w.expect(
      waits,
      fmt::format("smbd waits for the lock of {} of {}: {}", w.second_key, w.brlock.name, why),
      w.since(begin));
}

bool get_second_lock(world& w) {
  const auto begin = w.now();
  if (!w.hold_recovery("")) return false;
  const auto* a = w.smbd_answer(w.second_line);
  const double ms = w.since(begin);
  // smbd does nothing before we tell it to: what the node says now is what was true when the lock
  // was granted
  const auto v = w.view(world::home);
  if (!a) w.out_of_time = true;
  if (!w.expect(a && a->ok,
                fmt::format("smbd gets the lock of {} of {}", w.second_key, w.brlock.name), ms))
    return false;
  w.expect(a->value == w.brlock.records[w.second_key], "with the record as it was written last");
  const auto d = v ? v->database(w.locking.name) : json::object();
  const auto holders = d.value("holders", json::array()).size();
  w.expect(d.value("state", "") == "freezing" && holders == 1,
           fmt::format("meanwhile {} is {}, waiting for {} holder", w.locking.name,
                       d.value("state", "unknown"), holders));
  w.expect(v && v->state(w.brlock.name) == "thawed" &&
               v->database(w.brlock.name).value("generation", 0U) == w.new_generation,
           fmt::format("{} is thawed, its generation is the new one", w.brlock.name));
  w.expect(v && !v->is_normal(), "recovery mode is still ACTIVE");
  check_that_it_was_asked_again(w);
  return true;
}

bool find_the_deadlock(world& w) {
  const auto begin = w.now();
  if (!w.hold_recovery("")) return false;
  json verdict;
  const bool found = w.await([&] {
    if (w.smbd->answer_to(w.second_line)) return true;
    lock_picture locks;
    for (const std::size_t n : {world::home, world::far}) {
      const auto v = w.view(n);
      if (!v) continue;
      locks.add(v->report.dump());
      const auto recovery = v->recovery();
      if (recovery.is_object() && recovery.contains("deadlock")) verdict = recovery["deadlock"];
    }
    // as it was last seen: after its verdict the leader tries again
    if (auto circle = find_cycle(locks); !circle.empty()) w.cycle = std::move(circle);
    return verdict.is_object();
  });
  const double ms = w.since(begin);
  if (w.smbd->answer_to(w.second_line))
    return w.expect(false, "smbd gets no lock while all databases are frozen together");
  if (!w.expect(found, "the leader finds the deadlock at its deadline", ms)) return false;
  w.ended_us = w.scene.loop().wall_us();
  w.expect(true,
           fmt::format("frozen: {}; not frozen: {}", joined(verdict.value("frozen", json::array())),
                       joined(verdict.value("not_frozen", json::array()))));
  return w.expect(!w.cycle.empty(), "and it is a circle");
}

}  // namespace floe::cli
