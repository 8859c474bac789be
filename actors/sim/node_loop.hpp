#pragma once
/// The loop as one simulated node sees it: the simulation's loop, with the node's own chance and
/// its own clock on the wall, and with a switch for the whole process.
///
/// A *paused* node is one under SIGSTOP: none of its jobs, tasks and timers runs, time passes, and
/// what other nodes and clients send waits in its mailboxes as it would in the buffers of its
/// sockets. Resumed, it finds everything in the order in which it came. A *dead* one runs nothing
/// any more, except the jobs with which its actors end.
///
/// Must outlive everything that was ever put into the simulation's loop through it.
#include <deque>
#include <variant>

#include "actors/runtime/event_loop.hpp"
#include "actors/runtime/slots.hpp"

namespace floe {

class node_loop final : public event_loop {
 public:
  node_loop(event_loop& world, std::uint64_t seed) : event_loop(seed), world_(world) {}

  void pause() { paused_ = true; }
  void resume();
  bool paused() const { return paused_; }
  /// Forgets tasks and timers; jobs go on, so that actors can be ended.
  void die();
  /// How far the node's clock on the wall is from everybody else's.
  void set_skew(duration d) { skew_ = d; }
  /// What is done for the disk in the background takes so much longer.
  void set_disk_delay(duration d) { disk_delay_ = d; }

  time_point now() const override { return world_.now(); }
  std::int64_t wall_us() const override;
  bool is_simulated() const override { return true; }
  void post(task) override;
  void enqueue(job) override;
  timer_id after(duration, task) override;
  void cancel(timer_id) override;
  void offload(task work, task done) override;
  void watch(int, std::uint32_t, std::function<void(std::uint32_t)>) override;
  void rewatch(int, std::uint32_t) override;
  void unwatch(int) override;
  void before_wait(task t) override { post(std::move(t)); }
  bool run_until(const std::function<bool()>& done, duration limit) override {
    return world_.run_until(done, limit);
  }
  void settle() override { world_.settle(); }

 private:
  template <class Work>
  void put(Work);
  void fire(std::uint64_t id);
  void run_one();

  struct timer {
    timer_id in_world{0};
    task what;
  };
  event_loop& world_;
  bool paused_ = false, dead_ = false;
  duration skew_{0}, disk_delay_{0};
  std::deque<std::variant<task, job>> ready_;
  slots<timer> timers_;
  std::deque<std::uint64_t> due_;  ///< timers that fired while paused
};

}  // namespace floe
