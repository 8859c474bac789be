#include "cli/drill/run/sweep.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "actors/sim/own_memory.hpp"
#include "actors/sim/scratch.hpp"
#include "cli/drill/run/planned_run.hpp"
#include "cli/drill/run/verdict_json.hpp"
#include "cli/output.hpp"

namespace floe::cli::drill {
namespace {

/// A run that gets nowhere is ended by the system.
constexpr unsigned longest_run_s = 300;

verdict broken(std::uint64_t seed, std::string why) {
  return {.seed = seed, .reason = std::move(why)};
}

struct child {
  pid_t pid = -1;
  int out = -1;
  const planned_run* run = nullptr;
  std::string said{};
};

volatile std::sig_atomic_t received_signal = 0;

/// SIGINT and SIGTERM are remembered while it lives. They come while it waits, and at no other time: none is overlooked.
class signal_watch {
 public:
  signal_watch() {
    struct sigaction a {};
    a.sa_handler = [](int s) { received_signal = s; };
    for (std::size_t i = 0; i < watched.size(); ++i) ::sigaction(watched[i], &a, &before_[i]);
    sigset_t those;
    ::sigemptyset(&those);
    for (const int s : watched) ::sigaddset(&those, s);
    ::sigprocmask(SIG_BLOCK, &those, &open_);
  }
  ~signal_watch() {
    ::sigprocmask(SIG_SETMASK, &open_, nullptr);
    for (std::size_t i = 0; i < watched.size(); ++i) ::sigaction(watched[i], &before_[i], nullptr);
  }
  signal_watch(const signal_watch&) = delete;

  int wait(std::vector<pollfd>& fds) const {
    return ::ppoll(fds.data(), fds.size(), nullptr, &open_);
  }
  /// In a child: as it was before.
  void forget() const {
    for (const int s : watched) ::signal(s, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &open_, nullptr);
  }

 private:
  static constexpr std::array watched{SIGINT, SIGTERM, SIGHUP};
  sigset_t open_{};  ///< the mask without it
  std::array<struct sigaction, watched.size()> before_{};
};

[[noreturn]] void be_child(const planned_run& r, int out, pid_t parent) {
  // whatever way the parent ends
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::alarm(longest_run_s);
  // where a sanitizer watches, the cluster is taken apart under its eyes
  const bool leave = !r.on.real && use_own_memory();
  const auto text =
      verdict_json(play_planned(r, leave ? afterwards::left_as_it_is : afterwards::taken_apart));
  flush_output();  // what was told while it was played
  for (std::size_t at = 0; at < text.size();) {
    const auto n = ::write(out, text.data() + at, text.size() - at);
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  remove_own_scratch();
  ::_exit(0);
}

child start(const planned_run& r, const signal_watch& watch) {
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    watch.forget();
    be_child(r, ends[1], parent);
  }
  ::close(ends[1]);
  return {pid, ends[0], &r};
}

verdict end_of(child& c) {
  ::close(c.out);
  int status = 0;
  ::waitpid(c.pid, &status, 0);
  if (WIFSIGNALED(status)) remove_scratch_of(c.pid);
  const auto seed = c.run->seed;
  if (WIFSIGNALED(status))
    return broken(seed, WTERMSIG(status) == SIGALRM
                            ? fmt::format("the run did not end within {} s", longest_run_s)
                            : fmt::format("the program broke: {}", ::strsignal(WTERMSIG(status))));
  auto v = read_verdict(c.said);
  if (!v && WEXITSTATUS(status) == 128 + SIGALRM)
    return broken(seed, fmt::format("the run did not end within {} s", longest_run_s));
  if (!v)
    return broken(seed, fmt::format("the program broke: exit status {}", WEXITSTATUS(status)));
  return std::move(*v);
}

}  // namespace

int sweep(const std::vector<planned_run>& runs, std::size_t jobs,
          const std::function<void(const planned_run&, const verdict&)>& done) {
  const signal_watch watch;
  remove_left_scratch();
  std::vector<child> working;
  std::size_t next = 0;
  int forwarded = 0;
  while ((next < runs.size() && !received_signal) || !working.empty()) {
    while (next < runs.size() && !received_signal &&
           working.size() < std::max<std::size_t>(1, jobs)) {
      const auto& r = runs[next++];
      auto c = start(r, watch);
      if (c.pid < 0)
        done(r, broken(r.seed, "no process can be started"));
      else
        working.push_back(std::move(c));
    }
    if (const int s = received_signal; s != forwarded) {
      forwarded = s;
      for (const auto& c : working) ::kill(c.pid, s);
    }
    std::vector<pollfd> fds;
    for (const auto& c : working) fds.push_back({c.out, POLLIN, 0});
    if (watch.wait(fds) < 0 && errno != EINTR) return 0;
    if (received_signal != forwarded) continue;
    for (std::size_t i = fds.size(); i-- > 0;) {
      if (!(fds[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
      char buffer[65536];
      const auto n = ::read(fds[i].fd, buffer, sizeof buffer);
      if (n > 0) {
        working[i].said.append(buffer, static_cast<std::size_t>(n));
        continue;
      }
      auto ended = std::move(working[i]);
      working.erase(working.begin() + static_cast<std::ptrdiff_t>(i));
      const auto v = end_of(ended);
      if (!received_signal) done(*ended.run, v);
    }
  }
  return received_signal;
}

}  // namespace floe::cli::drill
