#include "cli/node/notify_scripts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "actors/events.hpp"
#include "actors/spawn_apart.hpp"

namespace floe::cli {
namespace {

namespace fs = std::filesystem;

constexpr duration bears_with = std::chrono::seconds(10),
                   script_patience = std::chrono::seconds(30);
constexpr std::size_t most_waiting =
    1000;  ///< calls of scripts: what flaps for hours is not told for days

/// In the order of their names.
std::vector<std::string> scripts_in(const std::string& directory) {
  std::vector<std::string> all;
  std::error_code problem;
  for (const auto& e : fs::directory_iterator(directory, problem))
    if (e.path().extension() == ".script" && ::access(e.path().c_str(), X_OK) == 0)
      all.push_back(e.path().string());
  std::ranges::sort(all);
  return all;
}

notify_rule::sight sight_of(const node_figures& n) {
  return {.running = n.state.view->run == runstate::running,
          .taken_out = n.state.view->run == runstate::running && n.state.view->own_flags() != 0,
          .ready = all_good(n.health)};
}

}  // namespace

std::vector<std::string_view> notify_rule::see(const sight& s, time_point now) {
  std::vector<std::string_view> events;
  const auto tell = [&](told what, std::string_view event) {
    last_ = what;
    events.push_back(event);
  };
  if (last_ == told::nothing) tell(told::setup, "setup");
  if (last_ == told::setup && s.running) tell(told::startup, "startup");
  if (last_ == told::setup) return events;
  if (s.ready) {
    failing_since_.reset();
    if (last_ != told::healthy) tell(told::healthy, "healthy");
    return events;
  }
  if (!failing_since_) failing_since_ = now;
  if (last_ != told::unhealthy && (s.taken_out || now - *failing_since_ >= bears_with))
    tell(told::unhealthy, "unhealthy");
  return events;
}

notify_scripts::notify_scripts(event_loop& loop, address<node_message> node, log& to,
                               std::string directory)
    : loop_(loop), node_(std::move(node)), log_(to), directory_(std::move(directory)) {}

notify_scripts::~notify_scripts() {
  *alive_ = false;
  loop_.cancel(asking_);
  loop_.cancel(patience_);
  if (child_ <= 0) return;
  loop_.unwatch(child_fd_);
  ::close(child_fd_);
  ::kill(-child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

void notify_scripts::start() {
  std::error_code problem;
  if (!fs::is_directory(directory_, problem)) return;
  tell("init");
  ask();
}

void notify_scripts::ask() {
  node_.tell(ask_figures{[this, alive = alive_](const std::shared_ptr<const node_figures>& n) {
    if (!*alive) return;
    for (const auto event : rule_.see(sight_of(*n), loop_.now())) tell(event);
    asking_ = loop_.after(std::chrono::seconds(1), [this] { ask(); });
  }});
}

void notify_scripts::tell(std::string_view event) {
  for (auto& script : scripts_in(directory_))
    if (waiting_.size() < most_waiting) waiting_.push_back({std::move(script), std::string(event)});
  if (child_ < 0) run_next();
}

void notify_scripts::run_next() {
  while (!waiting_.empty() && child_ < 0) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    const auto child = spawn_apart({next.script, std::string(next.event)});
    running_ = next.script;
    child_ = child.value_or(-1);
    if (child)
      child_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, child_, 0));
    else
      log_.tell(
          event::notify_script_failed{.script = next.script, .why = std::strerror(child.error())});
  }
  if (child_ < 0) return;
  loop_.watch(child_fd_, EPOLLIN, [this](std::uint32_t) { ended(); });
  patience_ = loop_.after(script_patience, [this] { ::kill(-child_, SIGKILL); });
}

void notify_scripts::ended() {
  int status = 0;
  if (::waitpid(child_, &status, WNOHANG) != child_) return;
  loop_.cancel(patience_);
  loop_.unwatch(child_fd_);
  ::close(child_fd_);
  child_ = child_fd_ = -1;
  if (status != 0)
    log_.tell(event::notify_script_failed{
        .script = running_,
        .why = WIFEXITED(status) ? fmt::format("exit status {}", WEXITSTATUS(status))
                                 : fmt::format("ended by signal {}", WTERMSIG(status))});
  run_next();
}

}  // namespace floe::cli
