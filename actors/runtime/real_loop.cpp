/// The loop of a real process: epoll, the steady clock, and two threads for work that blocks.
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/runtime/timers.hpp"
#include "actors/runtime/turn_watch.hpp"
#include "storage/heap.hpp"

namespace floe {
namespace {

using std::chrono::duration_cast;

constexpr duration least_time_of_jobs = std::chrono::microseconds(500);
constexpr duration most_time_of_jobs = std::chrono::milliseconds(20);

/// Threads for flushes and bulk work; more than cores would help only with many disks.
class worker_pool {
 public:
  ~worker_pool() {
    {
      std::lock_guard guard(lock_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto& t : threads_) t.join();
  }
  void submit(task t) {
    std::lock_guard guard(lock_);
    if (threads_.size() < max_threads) threads_.emplace_back([this] { serve(); });
    queue_.push_back(std::move(t));
    wake_.notify_one();
  }

 private:
  static constexpr std::size_t max_threads = 2;
  void serve() {
    std::unique_lock guard(lock_);
    for (;;) {
      wake_.wait(guard, [this] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      auto t = std::move(queue_.front());
      queue_.pop_front();
      guard.unlock();
      t();
      guard.lock();
    }
  }
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<task> queue_;
  std::vector<std::thread> threads_;
  bool stop_ = false;
};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "floe: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

class real_loop final : public event_loop {
 public:
  real_loop() : event_loop(std::random_device{}()), home_(std::this_thread::get_id()) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll_ < 0 || wake_ < 0) die("cannot create the event loop");
    watch(wake_, EPOLLIN, [this](std::uint32_t) { drain_wakeups(); });
  }
  ~real_loop() override {
    pool_.reset();
    ::close(wake_);
    ::close(epoll_);
  }

  time_point now() const override { return std::chrono::steady_clock::now(); }
  std::int64_t wall_us() const override {
    return duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  bool is_simulated() const override { return false; }

  void post(task t) override {
    if (std::this_thread::get_id() == home_) {
      tasks_.push_back(std::move(t));
      return;
    }
    bool first = false;
    {
      std::lock_guard guard(foreign_lock_);
      first = foreign_.empty();
      foreign_.push_back(std::move(t));
    }
    if (first) {
      const std::uint64_t one = 1;
      if (::write(wake_, &one, sizeof one) < 0 && errno != EAGAIN) die("cannot wake the loop");
    }
  }
  void enqueue(job j) override {
    if (std::this_thread::get_id() == home_)
      jobs_.push_back(j);
    else
      post([this, j] { jobs_.push_back(j); });
  }
  timer_id after(duration d, task t) override { return timers_.add(now() + d, std::move(t)); }
  void cancel(timer_id id) override { timers_.remove(id); }
  void offload(task work, task done) override {
    if (!pool_) pool_ = std::make_unique<worker_pool>();
    ++offloaded_;
    pool_->submit([this, work = std::move(work), done = std::move(done)]() mutable {
      work();
      work = nullptr;  // what it owned ends here, before `done` may reuse it
      post([this, done = std::move(done)] {
        --offloaded_;
        done();
      });
    });
  }

  void watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) override {
    const auto index = static_cast<std::size_t>(fd);
    if (watched_.size() <= index) watched_.resize(index + 1);
    watched_[index] = {std::make_shared<std::function<void(std::uint32_t)>>(std::move(ready)),
                       ++watch_serial_};
    control(EPOLL_CTL_ADD, fd, events);
  }
  void rewatch(int fd, std::uint32_t events) override { control(EPOLL_CTL_MOD, fd, events); }
  void unwatch(int fd) override {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    watched_[static_cast<std::size_t>(fd)] = {};
  }
  void before_wait(task t) override { before_wait_.push_back(std::move(t)); }

  bool run_until(const std::function<bool()>& done, duration limit) override {
    const auto end = now() + limit;
    while (!done()) {
      if (now() >= end) return false;
      run_jobs();
      prepare_to_wait();
      if (done()) return true;  // without another sleep
      wait(end);
      ring();
    }
    return true;
  }
  void settle() override {
    do {
      turn(now());
    } while (!idle());
  }

 private:
  struct watched {
    std::shared_ptr<std::function<void(std::uint32_t)>> ready;
    std::uint64_t serial = 0;
  };

  bool idle() const { return jobs_.empty() && tasks_.empty() && before_wait_.empty(); }

  void control(int op, int fd, std::uint32_t events) {
    epoll_event e{};
    e.events = events;
    // the serial number tells an event of a closed descriptor from one of its successor
    e.data.u64 =
        (watched_[static_cast<std::size_t>(fd)].serial << 32) | static_cast<std::uint32_t>(fd);
    if (::epoll_ctl(epoll_, op, fd, &e) != 0) die("epoll_ctl");
  }

  void drain_wakeups() {
    std::uint64_t count = 0;
    while (::read(wake_, &count, sizeof count) > 0) {
    }
    std::vector<task> got;
    {
      std::lock_guard guard(foreign_lock_);
      got.swap(foreign_);
    }
    for (auto& t : got) tasks_.push_back(std::move(t));
  }

  /// Jobs get a budget, so that sockets and timers are served however much the actors have to do. One of time, since an
  /// actor that goes on in slices takes one as soon as the last has ended; longer after sockets that brought much, or what
  /// they bring would pile up faster than it is done.
  void run_jobs() {
    const auto ends = now() + std::clamp(4 * sockets_took_, least_time_of_jobs, most_time_of_jobs);
    for (int budget = 2000; budget > 0 && !(jobs_.empty() && tasks_.empty()); --budget) {
      if (now() > ends) return;
      if (!tasks_.empty()) {
        auto t = std::move(tasks_.front());
        tasks_.pop_front();
        turn_watch::here().run("task", t);
      }
      if (!jobs_.empty()) {
        auto j = jobs_.front();
        jobs_.pop_front();
        j.run(j.context, j.what);
      }
    }
  }

  void turn(time_point until) {
    run_jobs();
    prepare_to_wait();
    wait(until);
    ring();
  }
  void prepare_to_wait() {
    for (auto list = std::exchange(before_wait_, {}); auto& t : list)
      turn_watch::here().run("write", t);
  }
  void ring() {
    for (auto at = now(); auto t = timers_.pop(at);) turn_watch::here().run("timer", t);
  }

  void wait(time_point until) {
    duration patience{0};
    if (idle()) {
      if (auto next = timers_.next(); next && *next < until) until = *next;
      patience = std::max(duration{0}, duration_cast<duration>(until - now()));
    }
    const auto seconds = std::min<std::int64_t>(patience.count() / 1'000'000'000, 3600);
    const timespec limit{.tv_sec = seconds, .tv_nsec = patience.count() % 1'000'000'000};
    epoll_event events[64];
    const int n = ::epoll_pwait2(epoll_, events, 64, &limit, nullptr);
    if (n < 0 && errno != EINTR) die("epoll_pwait2");
    const auto woke = now();
    turn_watch::here().woke(woke);
    for (int i = 0; i < n; ++i) {
      const auto fd = static_cast<std::size_t>(events[i].data.u64 & 0xffffffff);
      const auto& w = watched_[fd];
      if (!w.ready || (w.serial & 0xffffffff) != events[i].data.u64 >> 32) continue;
      auto keep = w.ready;  // the callback may unwatch itself
      turn_watch::here().run("socket", [&] { (*keep)(events[i].events); });
    }
    sockets_took_ = now() - woke;
  }

  std::thread::id home_;
  int epoll_ = -1;
  int wake_ = -1;
  std::deque<job> jobs_;
  std::deque<task> tasks_;
  duration sockets_took_{0};  ///< when they were served last
  std::vector<task> before_wait_;
  timers timers_;
  std::vector<watched> watched_;
  std::uint64_t watch_serial_ = 0;
  std::mutex foreign_lock_;
  std::vector<task> foreign_;
  std::size_t offloaded_ = 0;
  std::unique_ptr<worker_pool> pool_;
};

}  // namespace

/// heap.hpp says why.
static void keep_large_buffers() {
  // what a worker takes belongs to one heap with all else: of others malloc_trim gives less back
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, heap_block_max);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 8 << 20);
}

std::unique_ptr<event_loop> event_loop::real() {
  keep_large_buffers();
  return std::make_unique<real_loop>();
}

}  // namespace floe
