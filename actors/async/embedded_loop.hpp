#pragma once
/// A loop inside somebody else's program: turn by turn, with a descriptor that is readable when a turn has something to do.
///
/// Unlike the loop of a node (runtime/real_loop.cpp) it starts no threads, changes nothing of the process, never aborts,
/// and is void in the child of a fork. Its owner makes turns; between two of them it calls `arm` before others wait for the
/// descriptor, and `nudge` when it has started something meanwhile.
#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include "actors/runtime/event_loop.hpp"
#include "actors/runtime/timers.hpp"

namespace floe::async_inside {

class embedded_loop final : public event_loop {
 public:
  /// Throws std::system_error without descriptors.
  embedded_loop();
  ~embedded_loop() override;

  int descriptor() const { return epoll_; }
  /// Made by a process whose child this is.
  bool is_void() const;
  /// What is there to do, once through; waits for it until then. A task that throws leaves the rest for the next turn.
  void turn(time_point until);
  /// Ends the turn that is going on as soon as the present task has ended.
  void leave() { left_ = true; }
  /// Makes the descriptor readable until the next turn. Any thread.
  void nudge();
  /// Makes it readable when the next timer is due, and now if something is left.
  void arm();
  /// Hands to the system what was sent. A turn ends with it.
  void write_out();
  /// Any thread.
  void post_from_outside(task);

  time_point now() const override;
  std::int64_t wall_us() const override;
  bool is_simulated() const override { return false; }
  /// The loop's thread only.
  void post(task t) override { tasks_.push_back(std::move(t)); }
  void enqueue(job) override;
  timer_id after(duration d, task t) override { return timers_.add(now() + d, std::move(t)); }
  void cancel(timer_id id) override { timers_.remove(id); }
  /// In place: a client has nothing that blocks.
  void offload(task work, task done) override;
  void watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) override;
  void rewatch(int fd, std::uint32_t events) override;
  void unwatch(int fd) override;
  void before_wait(task t) override { before_wait_.push_back(std::move(t)); }
  bool run_until(const std::function<bool()>& done, duration limit) override;
  void settle() override;

 private:
  struct watched {
    std::shared_ptr<std::function<void(std::uint32_t)>> ready;
    std::uint64_t serial = 0;
  };
  bool idle() const { return tasks_.empty() && before_wait_.empty(); }
  void control(int op, int fd, std::uint32_t events);
  void run_tasks();
  void wait(time_point until);
  void ring();
  void woken();

  unsigned generation_;
  int epoll_ = -1, wake_ = -1, clock_ = -1;
  bool left_ = false;
  std::atomic<bool> nudged_{false};
  std::optional<time_point> armed_;
  std::deque<task> tasks_;
  std::vector<task> before_wait_;
  timers timers_;
  std::vector<watched> watched_;
  std::uint64_t last_serial_ = 0;
  std::mutex outside_lock_;
  std::vector<task> outside_;
};

}  // namespace floe::async_inside
