/// floe node: runs a node in the foreground until SIGTERM, SIGINT or a SHUTDOWN control; what other signals do is in
/// cli/node/node_signals.hpp.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "actors/events.hpp"
#include "actors/health/file_checks.hpp"
#include "actors/lock/process_lock.hpp"
#include "actors/node/start_node.hpp"
#include "cli/cluster/pid_file.hpp"
#include "cli/command/all.hpp"
#include "cli/config/database_folders.hpp"
#include "cli/config/node_files.hpp"
#include "cli/context.hpp"
#include "cli/hidden.hpp"
#include "cli/metrics/endpoint.hpp"
#include "cli/node/node_signals.hpp"
#include "cli/node/notify_scripts.hpp"
#include "cli/node/service_notice.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

/// Every client and every peer is a descriptor: take all that we may have. With a few the node would start, and lack them
/// when it takes the cluster lock or opens a database, so it says at once what is wrong.
std::string raise_descriptor_limit() {
  constexpr rlim_t least = 256;
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) != 0) return {};
  l.rlim_cur = l.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &l);
  if (l.rlim_max >= least) return {};
  return fmt::format(
      "{} open files are all that this process may have, a node needs {} (ulimit -n)", l.rlim_max,
      least);
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

/// "HUP"; real-time signals have no names.
std::string name_of(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? name : fmt::format("RTMIN+{}", signal - SIGRTMIN);
}

/// " of systemd (pid 1)"; the kernel, and who is in another namespace, has no number here.
std::string sender_text(int pid) {
  if (pid <= 0) return {};
  std::string name;
  std::getline(std::ifstream(fmt::format("/proc/{}/comm", pid)), name);
  return name.empty() ? fmt::format(" of process {}", pid)
                      : fmt::format(" of {} (pid {})", name, pid);
}

/// Text from any answer of the node goes into its log, line by line.
void write_report(log& to, const control_answer& a) {
  const auto report = nlohmann::json::parse(a.data, nullptr, false);
  if (!report.is_object())
    return to.tell(event::state_report{.what = "nothing", .value = "the node gave no report"});
  for (const auto& [key, value] : report.items()) {
    if (key != "databases") {
      to.tell(event::state_report{.what = key, .value = value.dump()});
      continue;
    }
    for (const auto& d : value) to.tell(event::state_report{.what = "database", .value = d.dump()});
  }
}

class service {
 public:
  service(node_setup setup, log& to) : setup_(std::move(setup)), log_(to) {}

  int run() {
    ::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of the write
    const auto net = socket_network(*loop_);
    const auto checks = child_file_checks(*loop_, file_check_command());
    const auto locks = process_locks(*loop_, {.guard = lock_guard_command()});
    actor_runtime actors(*loop_);
    counters count;
    request_ids ids;
    bool stopped = false;
    node_ = start_node(
        {*loop_, actors, *net, log_, count, ids, setup_.config.self, checks.get(), locks.get()},
        setup_.config, [&](const std::string& why) {
          stopped = true;
          ended_by_ = why;
        });
    service_notice notice(*loop_, node_, setup_.config.self);
    notice_ = &notice;
    const signal_watch signals(*loop_,
                               {.end = [this](int n, int from) { end(n, from); },
                                .reload = [this](int n, int from) { reload(n, from); },
                                .report = [this](int n, int from) { report(n, from); },
                                .other = [this](int n, int from) { note(n, from, "nothing"); }});
    loop_->settle();
    const bool started = !stopped || asked_;
    notice.start();
    notify_scripts scripts(*loop_, node_, log_, setup_.notify_dir);
    if (started) scripts.start();
    endpoint metrics(*loop_, node_, setup_.config.self);
    const auto unseen = started ? serve_metrics(metrics) : std::string();
    if (!unseen.empty()) node_.tell(stop_node{"its metrics cannot be served: " + unseen});
    while (!stopped) loop_->run_until([&] { return stopped; }, std::chrono::hours(1));
    loop_->settle();  // what its databases and links were told at the end
    if (started && unseen.empty()) return done;
    print_error(fmt::format("the node did not start: {}{}", wire::visible(ended_by_),
                            setup_.log.to == log_target::kind::standard_error
                                ? std::string()
                                : "; its log is " + to_string(setup_.log)));
    return failed;
  }

 private:
  /// Somebody who watches a node must not be left without eyes by a typing mistake: a place that cannot be used ends it.
  std::string serve_metrics(endpoint& metrics) {
    if (!setup_.metrics) return {};
    const auto wrong = metrics.open(*setup_.metrics);
    if (wrong.empty())
      log_.tell(event::metrics{.listen = to_string(*setup_.metrics)});
    else
      log_.tell(event::metrics_not_served{.why = wrong});
    return wrong;
  }
  void note(int number, int from, std::string_view does) {
    log_.tell(event::signal{.number = number, .name = name_of(number), .from = from, .does = does});
  }
  void end(int number, int from) {
    note(number, from, "the node ends");
    if (asked_) ::_exit(failed);  // somebody is in a hurry
    asked_ = true;
    notice_->stopping();
    node_.tell(leave_node{fmt::format("SIG{}{}", name_of(number), sender_text(from))});
  }
  void reload(int number, int from) {
    notice_->reloading();
    const auto problem = log_.reopen();
    report_faults_to(setup_.log);
    note(number, from, "the log is reopened");
    if (!problem.empty()) log_.tell(event::log_not_reopened{.why = problem});
    if (const auto fresh = check_node_directory(
            setup_.config.base == places_of("").base ? "" : setup_.config.base)) {
      log_.set_level(fresh->level);
    } else {
      for (const auto& e : fresh.error()) log_.tell(event::settings_not_read{.why = e});
    }
    notice_->reloaded();
  }
  void report(int number, int from) {
    note(number, from, "a report of the state");
    node_.tell(call_control{
        .to = setup_.config.self,
        .opcode = control::get_node_status,
        .data = {},
        .patience = std::chrono::minutes(1),
        .answer = replier([this](const control_answer& a) { write_report(log_, a); })});
  }

  node_setup setup_;
  log& log_;
  std::unique_ptr<event_loop> loop_ = event_loop::real();
  address<node_message> node_;
  service_notice* notice_ = nullptr;
  bool asked_ = false;
  std::string ended_by_;
};

int serve(const context& c) {
  std::error_code ignored;
  const auto base =
      c.options.base.empty()
          ? std::string()
          : std::filesystem::absolute(c.options.base, ignored).lexically_normal().string();
  auto setup = read_node_directory(base);
  if (!setup) {
    for (const auto& e : setup.error()) print_error(e);
    return wrong_use;
  }
  for (const auto& w : setup->warnings) print_error("warning: " + w);
  if (setup->config.cluster_lock.empty() && setup->config.nodes.size() > 1)
    print_error(std::string("warning: ") + no_cluster_lock_warning);  // the log has its own
  // from here on signals wait for the loop; before any thread exists, so that all have it
  const auto blocked = node_signals();
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  if (const auto few = raise_descriptor_limit(); !few.empty()) return c.fail(few);
  const auto pid = pid_file::take(setup->pid_file);
  if (!pid) return c.fail(setup->pid_file + ": " + pid.error());
  if (const auto theirs = files_of_ctdbd(setup->config); !theirs.empty()) return c.fail(theirs);
  if (const auto why = announce_node(setup->config); !why.empty()) return c.fail(why);
  const auto to =
      open_log(setup->log, fmt::format("node {}", number(setup->config.self)), setup->level);
  if (!to) return c.fail("the log " + to_string(setup->log) + " cannot be opened: " + to.error());
  for (const auto& w : setup->warnings) (*to)->tell(event::setting_ignored{.what = w});
  report_faults_to(setup->log);
  return service(std::move(*setup), **to).run();
}

int run_node(context& c, const arguments&) {
  const auto work = [&] { return serve(c); };
  return ::getpid() == 1 ? run_as_init(work) : work();
}

}  // namespace

command node_command() {
  return {
      .name = "node",
      .group = "Start",
      .summary =
          "run a node in the foreground, from DIR/ctdb.conf, DIR/nodes and DIR/ctdb.tunables; "
          "without --base from the "
          "places of the distribution (/etc/ctdb, /run/ctdb, /var/lib/ctdb)",
      .example = "mkdir -p /tmp/n0 && echo 127.0.0.1 > /tmp/n0/nodes && floe node --base /tmp/n0",
      .run = run_node};
}

}  // namespace floe::cli
