/// floe node: runs a node in the foreground until SIGTERM, SIGINT or a SHUTDOWN control.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "actors/health/file_checks.hpp"
#include "actors/lock/process_lock.hpp"
#include "actors/node/start_node.hpp"
#include "cli/cluster/pid_file.hpp"
#include "cli/command/all.hpp"
#include "cli/config/database_folders.hpp"
#include "cli/config/node_files.hpp"
#include "cli/context.hpp"
#include "cli/hidden.hpp"

namespace floe::cli {
namespace {

sigset_t stop_signals() {
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGTERM);
  sigaddset(&s, SIGINT);
  return s;
}

/// Every client and every peer is a descriptor: take all that we may have.
void raise_descriptor_limit() {
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) != 0) return;
  l.rlim_cur = l.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &l);
}

/// The first process of a container has duties: it passes signals on and buries orphans. A child
/// does the work.
template <class Work>
int run_as_init(Work work) {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    print_error(std::string("cannot fork: ") + std::strerror(errno));
    return failed;
  }
  if (child == 0) {
    ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
    return work();
  }
  for (;;) {
    int signal = 0;
    ::sigwait(&all, &signal);
    if (signal != SIGCHLD) {
      ::kill(child, signal);
      continue;
    }
    int status = 0;
    for (pid_t p = 0; (p = ::waitpid(-1, &status, WNOHANG)) > 0;)
      if (p == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

int serve(node_setup setup, const std::unique_ptr<log>& to) {
  auto loop = event_loop::real();
  auto net = socket_network(*loop);
  const auto checks = child_file_checks(*loop, file_check_command());
  const auto locks = process_locks(*loop, {.guard = lock_guard_command()});
  actor_runtime actors(*loop);
  counters count;
  request_ids ids;

  bool stopped = false;
  const auto wanted = stop_signals();
  const int signals = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  const auto node = start_node({*loop, actors, *net, *to, count, ids, setup.config.self, checks.get(), locks.get()},
                               setup.config, [&] { stopped = true; });
  bool asked = false;
  loop->watch(signals, EPOLLIN, [&](std::uint32_t) {
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof info) == sizeof info) {
      to->notice(fmt::format("signal number={} from={}", info.ssi_signo, info.ssi_pid));
      if (asked) ::_exit(failed);  // somebody is in a hurry
      asked = true;
      node.tell(stop_node{});
    }
  });
  loop->settle();
  const bool started = !stopped || asked;
  while (!stopped) loop->run_until([&] { return stopped; }, std::chrono::hours(1));
  loop->unwatch(signals);
  ::close(signals);
  if (started) return done;
  print_error("the node did not start; " + (setup.log_file.empty()
                                                ? std::string("the reason is above")
                                                : "the reason is in " + setup.log_file));
  return failed;
}

int run_node(const context& c) {
  std::error_code ignored;
  const auto base = std::filesystem::absolute(c.options.base, ignored).lexically_normal().string();
  auto setup = read_node_directory(base);
  if (!setup) {
    for (const auto& e : setup.error()) print_error(e);
    return wrong_use;
  }
  for (const auto& w : setup->warnings) print_error("warning: " + w);
  if (setup->config.cluster_lock.empty() && setup->config.nodes.size() > 1)
    print_error(std::string("warning: ") + no_cluster_lock_warning);  // the log has its own
  const auto pid = pid_file::take(setup->pid_file);
  if (!pid) return c.fail(base + ": " + pid.error());

  if (const auto theirs = files_of_ctdbd(setup->config); !theirs.empty()) return c.fail(theirs);
  if (const auto why = announce_node(setup->config); !why.empty()) return c.fail(why);

  const auto who = fmt::format("node {}", number(setup->config.self));
  if (!setup->log_file.empty()) {
    std::FILE* trial = std::fopen(setup->log_file.c_str(), "ae");
    if (!trial) return c.fail(setup->log_file + ": " + std::strerror(errno));
    std::fclose(trial);
  }
  const auto to = file_log(setup->log_file, who, setup->level);
  for (const auto& w : setup->warnings) to->warning(w);
  raise_descriptor_limit();
  return serve(std::move(*setup), to);
}

int run(context& c, const arguments&) {
  if (c.options.base.empty())
    return c.misused("node: which directory? Give --base DIR or set CTDB_BASE");
  const auto work = [&] {
    // before any thread exists, so that all have it
    const auto blocked = stop_signals();
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    return run_node(c);
  };
  return ::getpid() == 1 ? run_as_init(work) : work();
}

}  // namespace

command node_command() {
  return {
      .name = "node",
      .group = "Start",
      .summary =
          "run a node in the foreground, from DIR/ctdb.conf, DIR/nodes and DIR/ctdb.tunables",
      .example = "mkdir -p /tmp/n0 && echo 127.0.0.1 > /tmp/n0/nodes && floe node --base /tmp/n0",
      .run = run};
}

}  // namespace floe::cli
