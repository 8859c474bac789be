/// The loop of a simulation: virtual time, no sockets, everything in one fixed order.
#include <cassert>
#include <deque>
#include <variant>

#include "actors/runtime/timers.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe {
namespace {

class sim_loop final : public event_loop {
 public:
  explicit sim_loop(std::uint64_t seed) : event_loop(seed) {}

  time_point now() const override { return now_; }
  std::int64_t wall_us() const override {
    // a fixed birthday, so that traces of equal seeds are equal
    return 1'000'000'000'000'000 + in_us(now_.time_since_epoch());
  }
  bool is_simulated() const override { return true; }

  void post(task t) override { tasks_.push_back(std::move(t)); }
  void enqueue(job j) override { tasks_.push_back(j); }
  timer_id after(duration d, task t) override { return timers_.add(now_ + d, std::move(t)); }
  void cancel(timer_id id) override { timers_.remove(id); }
  void offload(task work, task done) override {
    // the other thread begins at once; a node that is killed meanwhile does not hear of the end
    work();
    after(std::chrono::microseconds(50), std::move(done));
  }

  void watch(int, std::uint32_t, std::function<void(std::uint32_t)>) override { no_sockets(); }
  void rewatch(int, std::uint32_t) override { no_sockets(); }
  void unwatch(int) override { no_sockets(); }
  void before_wait(task t) override { post(std::move(t)); }

  bool run_until(const std::function<bool()>& done, duration limit) override {
    const auto end = now_ + limit;
    for (;;) {
      while (!tasks_.empty()) {
        if (done()) return true;
        if (tasks_.empty())
          break;  // `done` asked the nodes, and had the loop run for their answers
        run_one();
      }
      if (done()) return true;
      const auto next = timers_.next();
      if (!next || *next > end) {
        now_ = std::max(now_, end);
        return false;
      }
      now_ = std::max(now_, *next);
      timers_.pop(now_)();
    }
  }
  void settle() override {
    while (!tasks_.empty()) run_one();
  }

 private:
  [[noreturn]] static void no_sockets() {
    assert(false && "a simulated loop has no descriptors");
    __builtin_trap();
  }
  void run_one() {
    auto what = std::move(tasks_.front());
    tasks_.pop_front();
    if (const auto* j = std::get_if<job>(&what))
      j->run(j->context, j->what);
    else
      std::get<task>(what)();
  }

  time_point now_{std::chrono::seconds(1)};
  std::deque<std::variant<job, task>> tasks_;
  timers timers_;
};

}  // namespace

std::unique_ptr<event_loop> event_loop::simulated(std::uint64_t seed) {
  return std::make_unique<sim_loop>(seed);
}

}  // namespace floe
