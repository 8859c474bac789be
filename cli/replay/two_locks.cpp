#include "cli/replay/two_locks.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "cli/cluster/processes.hpp"
#include "cli/output.hpp"
#include "cli/replay/world.hpp"
#include "cli/timeline/gather.hpp"

namespace floe::cli {
namespace {

constexpr duration time_to_stop = std::chrono::seconds(10);
/// Shown before the first and after the last thing that happened.
constexpr std::int64_t margin_us = 2000;

void take_picture(world& w) {
  w.picture = make_picture(w.events_since_kill({world::home, world::far}), w.killed_us - margin_us,
                           w.ended_us + margin_us);
}

void show_picture(world& w) {
  w.report.say("\n" + draw(w.picture, w.options.width, w.options.colours));
}

void show_cycle(world& w) {
  std::string text =
      "\n" + paint(style::bad, "Deadlock. These wait for each other:", w.options.colours) + "\n";
  for (const auto& s : w.cycle) text += "  " + s + "\n";
  w.report.say(text + "\n");
}

bool has_row(const world& w, const std::string& db) {
  return std::ranges::any_of(w.picture.rows, [&](const timeline_row& r) { return r.db == db; });
}

/// False: it broke off.
bool play_steps(world& w) {
  w.report.title("Two locks, one recovery");
  w.report.step(1, "three nodes, two databases, a lock");
  if (!start_and_fill(w)) return false;
  w.report.step(2, "a node is lost");
  if (!lose_a_node(w)) return false;
  w.report.step(3, "a second lock, in the middle of the recovery");
  if (!want_second_lock(w)) return false;
  if (w.options.freeze_all) {
    if (!find_the_deadlock(w)) return false;
    take_picture(w);
    show_picture(w);
    show_cycle(w);
    return true;
  }
  if (!get_second_lock(w)) return false;
  w.report.step(4, "the holder finishes");
  if (!write_and_let_go(w)) return false;
  take_picture(w);
  w.report.step(5, "the node comes back");
  if (!bring_the_node_back(w)) return false;
  w.report.step(6, "what happened when");
  w.expect(has_row(w, w.locking.name) && has_row(w, w.brlock.name),
           "both databases are on the timeline");
  show_picture(w);
  return true;
}

/// Whatever has happened: no process is left.
void take_down(world& w) {
  w.smbd.reset();
  if (w.cluster.dir.empty()) return;
  for (const auto n : stop_cluster(w.cluster, time_to_stop))
    w.expect(false, fmt::format("node {} ends when it is asked to", n));
  // what was started and has not come to its pid file
  for (const pid_t p : w.pids)
    if (p > 0 && !has_ended(p)) {
      ::kill(p, SIGKILL);
      ::waitpid(p, nullptr, 0);
    }
}

}  // namespace

two_locks::two_locks(two_locks_options o) : world_(std::make_unique<world>(std::move(o))) {}
two_locks::~two_locks() = default;

exit_code two_locks::play() {
  world& w = *world_;
  const bool to_the_end = play_steps(w);
  take_down(w);
  if (w.scene.interrupted()) {
    w.report.say("\ninterrupted\n");
    return failed;
  }
  if (!to_the_end || !w.report.everything_held()) return w.out_of_time ? timed_out : failed;
  if (w.options.freeze_all) return says_no;
  w.report.say("\n" + paint(style::good, "Everything held.", w.options.colours) + "\n");
  return done;
}

bool two_locks::interrupted() const { return world_->scene.interrupted(); }

void two_locks::put(wire::json_writer& j) const {
  world_->report.put(j);
  j.begin_list("cycle");
  for (const auto& s : world_->cycle) j.text({}, s);
  j.end();
  j.begin_object("timeline");
  put_picture(j, world_->picture, {});
  j.end();
}

}  // namespace floe::cli
