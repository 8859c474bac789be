#include "actors/async/embedded_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>
#include <system_error>
#include <utility>

#include "actors/async/fork_guard.hpp"

namespace floe::async_inside {
namespace {

/// Tasks of one turn; what is left makes the descriptor readable.
constexpr int most_tasks = 2000;
constexpr std::int64_t longest_wait_s = 3600;

[[noreturn]] void no_more(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void close_all(std::initializer_list<int> fds) {
  for (const int fd : fds)
    if (fd >= 0) ::close(fd);
}

/// To the nanosecond, or, where the system does not have that call (before Linux 5.11), to the millisecond.
int wait_for_events(int epoll, std::span<epoll_event> events, duration d) {
  const timespec limit{.tv_sec = std::min<std::int64_t>(d.count() / 1'000'000'000, longest_wait_s),
                       .tv_nsec = d.count() % 1'000'000'000};
  const int most = static_cast<int>(events.size());
  const int n = ::epoll_pwait2(epoll, events.data(), most, &limit, nullptr);
  if (n >= 0 || errno != ENOSYS) return n;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(
      std::min<duration>(d, std::chrono::seconds(longest_wait_s)));
  return ::epoll_wait(epoll, events.data(), most, static_cast<int>(ms.count()));
}

}  // namespace

embedded_loop::embedded_loop() : event_loop(std::random_device{}()) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  clock_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  try {
    if (epoll_ < 0 || wake_ < 0 || clock_ < 0) no_more("cannot make the event loop");
    guard_descriptor(epoll_);
    generation_ = fork_generation();
    watch(wake_, EPOLLIN, [this](std::uint32_t) { woken(); });
    watch(clock_, EPOLLIN, [this](std::uint32_t) {
      std::uint64_t times = 0;
      [[maybe_unused]] const auto n = ::read(clock_, &times, sizeof times);
      armed_.reset();
    });
  } catch (...) {
    for (const int fd : {epoll_, wake_, clock_}) unguard_descriptor(fd);
    close_all({epoll_, wake_, clock_});
    throw;
  }
}

embedded_loop::~embedded_loop() {
  // what tasks own may still post something when it goes
  while (!idle()) {
    const auto tasks = std::exchange(tasks_, {});
    const auto writes = std::exchange(before_wait_, {});
  }
  for (const int fd : {epoll_, wake_, clock_}) unguard_descriptor(fd);
  close_all({epoll_, wake_, clock_});
}

bool embedded_loop::is_void() const { return generation_ != fork_generation(); }

time_point embedded_loop::now() const { return std::chrono::steady_clock::now(); }

std::int64_t embedded_loop::wall_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// --- from outside ------------------------------------------------------------------------------------------------

void embedded_loop::nudge() {
  if (nudged_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);  // full: it is readable
}

void embedded_loop::post_from_outside(task t) {
  {
    const std::lock_guard hold(outside_lock_);
    outside_.push_back(std::move(t));
  }
  nudge();
}

void embedded_loop::woken() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(wake_, &count, sizeof count);
  // after reading, which would take away the nudge of who comes in between; before looking: who comes now nudges again
  nudged_ = false;
  std::vector<task> came;
  {
    const std::lock_guard hold(outside_lock_);
    came.swap(outside_);
  }
  for (auto& t : came) tasks_.push_back(std::move(t));
}

void embedded_loop::arm() {
  if (!idle()) nudge();
  const auto next = timers_.next();
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  // steady_clock is CLOCK_MONOTONIC; all zero would switch it off
  const auto at = std::max(next->time_since_epoch(), std::chrono::steady_clock::duration(1));
  const itimerspec when{
      .it_interval = {},
      .it_value = {.tv_sec = at.count() / 1'000'000'000, .tv_nsec = at.count() % 1'000'000'000}};
  ::timerfd_settime(clock_, TFD_TIMER_ABSTIME, &when, nullptr);
}

// --- turns -------------------------------------------------------------------------------------------------------

void embedded_loop::turn(time_point until) {
  left_ = false;
  run_tasks();
  write_out();
  if (left_) return;
  wait(until);
  ring();
  run_tasks();
  write_out();
}

void embedded_loop::run_tasks() {
  for (int budget = most_tasks; budget > 0 && !tasks_.empty() && !left_; --budget) {
    const auto t = std::move(tasks_.front());
    tasks_.pop_front();
    t();
  }
}

/// Also when the turn was left: what was asked before goes out.
void embedded_loop::write_out() {
  for (auto list = std::exchange(before_wait_, {}); auto& t : list) t();
}

void embedded_loop::ring() {
  for (const auto at = now(); !left_;) {
    const auto t = timers_.pop(at);
    if (!t) return;
    t();
  }
}

void embedded_loop::wait(time_point until) {
  duration patience{0};
  if (idle()) {
    if (const auto next = timers_.next(); next && *next < until) until = *next;
    patience = std::max(duration{0}, std::chrono::duration_cast<duration>(until - now()));
  }
  epoll_event events[64];
  const int n = wait_for_events(epoll_, events, patience);
  if (n < 0 && errno != EINTR) no_more("epoll_wait");
  // who is not looked at now is found ready in the next turn
  for (int i = 0; i < n && !left_; ++i) {
    const auto fd = static_cast<std::size_t>(events[i].data.u64 & 0xffffffff);
    const auto& w = watched_[fd];
    if (!w.ready || (w.serial & 0xffffffff) != events[i].data.u64 >> 32) continue;
    const auto keep = w.ready;  // the callback may unwatch itself
    (*keep)(events[i].events);
  }
}

bool embedded_loop::run_until(const std::function<bool()>& done, duration limit) {
  for (const auto end = now() + limit; !done(); turn(end))
    if (now() >= end) return false;
  return true;
}

void embedded_loop::settle() {
  do turn(now());
  while (!idle());
}

void embedded_loop::enqueue(job j) {
  post([j] { j.run(j.context, j.what); });
}

void embedded_loop::offload(task work, task done) {
  work();
  post(std::move(done));
}

// --- descriptors -------------------------------------------------------------------------------------------------

void embedded_loop::control(int op, int fd, std::uint32_t events) {
  epoll_event e{};
  e.events = events;
  // the serial number tells an event of a closed descriptor from one of its successor
  e.data.u64 =
      (watched_[static_cast<std::size_t>(fd)].serial << 32) | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_, op, fd, &e) != 0 && !is_void()) no_more("epoll_ctl");
}

void embedded_loop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) {
  const auto index = static_cast<std::size_t>(fd);
  if (watched_.size() <= index) watched_.resize(index + 1);
  watched_[index] = {std::make_shared<std::function<void(std::uint32_t)>>(std::move(ready)),
                     ++last_serial_};
  guard_descriptor(fd);
  control(EPOLL_CTL_ADD, fd, events);
}

void embedded_loop::rewatch(int fd, std::uint32_t events) { control(EPOLL_CTL_MOD, fd, events); }

void embedded_loop::unwatch(int fd) {
  unguard_descriptor(fd);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);  // in a child: of /dev/null
  watched_[static_cast<std::size_t>(fd)] = {};
}

}  // namespace floe::async_inside
