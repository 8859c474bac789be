#pragma once
/// The one thread on which every actor of a process runs: jobs, timers, sockets and the clock.
///
/// Two kinds. *Real*: steady clock, epoll, a small pool for blocking work. *Simulated*: virtual time that jumps
/// from timer to timer, no sockets, blocking work done in place; same seed and inputs, same order of everything.
/// Actors are not bound to it by CAF: they see it as the source of time, chance and delayed calls.
///
/// All members are called on the loop's thread, except `post`, which any thread may call.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>

#include "protocol/rules/time.hpp"

namespace floe {

using task = std::function<void()>;

/// Identifies a timer; 0 is none.
enum class timer_id : std::uint64_t {};

/// Something that can be resumed on the loop; `run(context, what)` is called once per enqueue.
struct job {
  void (*run)(void* context, void* what);
  void* context;
  void* what;
};

class event_loop {
 public:
  static std::unique_ptr<event_loop> real();
  static std::unique_ptr<event_loop> simulated(std::uint64_t seed);
  virtual ~event_loop() = default;

  virtual time_point now() const = 0;
  /// Microseconds since 1970; for people to read, never for decisions.
  virtual std::int64_t wall_us() const = 0;
  virtual bool is_simulated() const = 0;

  /// Runs the task on the loop, after what is already queued. Any thread.
  virtual void post(task) = 0;
  virtual void enqueue(job) = 0;
  virtual timer_id after(duration, task) = 0;
  /// Nothing happens if the timer has fired or never was.
  virtual void cancel(timer_id) = 0;
  /// Runs blocking work elsewhere, then `done` on the loop. Order of completion is not promised.
  virtual void offload(task work, task done) = 0;

  /// Calls `ready(events)` whenever epoll reports the descriptor. Real loops only.
  virtual void watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) = 0;
  virtual void rewatch(int fd, std::uint32_t events) = 0;
  virtual void unwatch(int fd) = 0;
  /// Runs the task once before the loop next waits: the place to write what jobs have collected.
  virtual void before_wait(task) = 0;

  /// Runs until `done()`; in simulation false if nothing is left to happen or `limit` of virtual time has passed,
  /// in reality false after `limit`.
  virtual bool run_until(const std::function<bool()>& done, duration limit) = 0;
  /// Everything that needs no time to pass.
  virtual void settle() = 0;

  std::mt19937_64& chance() { return chance_; }

 protected:
  explicit event_loop(std::uint64_t seed) : chance_(seed) {}

 private:
  std::mt19937_64 chance_;
};

}  // namespace floe
