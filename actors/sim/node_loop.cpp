#include "actors/sim/node_loop.hpp"

#include <cassert>
#include <type_traits>
#include <utility>

#include "protocol/rules/elapsed.hpp"

namespace floe {
namespace {

constexpr duration background_work = std::chrono::microseconds(50);

[[noreturn]] void no_sockets() {
  assert(false && "a simulated node has no descriptors");
  __builtin_trap();
}

}  // namespace

std::int64_t node_loop::wall_us() const { return world_.wall_us() + in_us(skew_); }

/// Everything waits in one queue of our own, and the world is asked for a turn for each: so a pause
/// stops what is queued already, too.
template <class Work>
void node_loop::put(Work what) {
  if (dead_) {
    if constexpr (std::is_same_v<Work, job>) world_.enqueue(what);
    return;
  }
  ready_.emplace_back(std::move(what));
  if (!paused_)
    world_.enqueue(
        {[](void* self, void*) { static_cast<node_loop*>(self)->run_one(); }, this, nullptr});
}

void node_loop::post(task t) { put(std::move(t)); }
void node_loop::enqueue(job j) { put(j); }

void node_loop::run_one() {
  if (paused_ || ready_.empty()) return;
  auto what = std::move(ready_.front());
  ready_.pop_front();
  if (auto* j = std::get_if<job>(&what))
    j->run(j->context, j->what);
  else
    std::get<task>(what)();
}

timer_id node_loop::after(duration d, task t) {
  if (dead_) return timer_id{0};
  const auto id = timers_.put({.what = std::move(t)});
  timers_.find(id)->in_world = world_.after(d, [this, id] { fire(id); });
  return timer_id{id};
}

void node_loop::fire(std::uint64_t id) {
  if (paused_) return due_.push_back(id);
  if (const auto t = timers_.take(id)) t->what();
}

void node_loop::cancel(timer_id id) {
  // what a task holds may cancel or set timers when it goes, so it goes last
  const auto t = timers_.take(static_cast<std::uint64_t>(id));
  if (t) world_.cancel(t->in_world);
}

void node_loop::resume() {
  if (!paused_) return;
  paused_ = false;
  for (auto& w : std::exchange(ready_, {}))
    std::visit([this](auto& what) { put(std::move(what)); }, w);
  for (const auto id : std::exchange(due_, {}))
    if (auto t = timers_.take(id)) put(std::move(t->what));
}

void node_loop::die() {
  paused_ = false;
  dead_ = true;
  due_.clear();
  const auto timers = std::exchange(timers_, {});
  timers.each([this](const timer& t) { world_.cancel(t.in_world); });
  for (auto& w : std::exchange(ready_, {}))
    if (auto* j = std::get_if<job>(&w)) world_.enqueue(*j);
}

/// The work is done at once, as a second thread would; a node that dies meanwhile does not hear of it.
void node_loop::offload(task work, task done) {
  if (dead_) return;
  work();
  after(background_work + disk_delay_, std::move(done));
}

void node_loop::watch(int, std::uint32_t, std::function<void(std::uint32_t)>) { no_sockets(); }
void node_loop::rewatch(int, std::uint32_t) { no_sockets(); }
void node_loop::unwatch(int) { no_sockets(); }

}  // namespace floe
