#include "cli/cluster/processes.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "actors/spawn_apart.hpp"
#include "cli/cluster/deleted_node.hpp"
#include "cli/cluster/pid_file.hpp"

namespace floe::cli {
namespace {

constexpr auto pause = std::chrono::milliseconds(10);

/// A child of ours that has ended stays as a zombie until we look.
void bury(pid_t pid) { ::waitpid(pid, nullptr, WNOHANG); }

}  // namespace

std::string own_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

std::expected<pid_t, std::string> start_node_process(const local_cluster& c, std::uint32_t node) {
  const int log =
      ::open(c.start_log(node).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return std::unexpected(c.start_log(node) + ": " + std::strerror(errno));
  const auto pid = spawn_apart({own_program(), "node", "--base", c.base(node)},
                               {.output = log, .errors_too = true, .own_session = true});
  ::close(log);
  if (!pid) return std::unexpected(own_program() + ": " + std::strerror(pid.error()));
  return *pid;
}

std::optional<pid_t> node_process(const local_cluster& c, std::uint32_t node) {
  return pid_file::holder(c.pid_path(node));
}

std::expected<std::vector<pid_t>, std::string> start_missing_nodes(const local_cluster& c) {
  std::vector<pid_t> all;
  for (std::uint32_t i = 0; i < c.nodes; ++i) {
    if (const auto running = node_process(c, i)) {
      all.push_back(*running);
      continue;
    }
    if (is_deleted(c, i)) {
      all.push_back(0);
      continue;
    }
    auto started = start_node_process(c, i);
    if (!started) return std::unexpected(started.error());
    all.push_back(*started);
  }
  return all;
}

bool has_ended(pid_t pid) {
  const pid_t buried = ::waitpid(pid, nullptr, WNOHANG);
  if (buried == pid) return true;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

bool stop_process(pid_t pid, const std::function<bool()>& gone, duration patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  ::kill(pid, SIGTERM);
  bool killed = false;
  while (!gone()) {
    bury(pid);
    if (!killed && std::chrono::steady_clock::now() >= end) {
      ::kill(pid, SIGKILL);
      killed = true;
    }
    std::this_thread::sleep_for(pause);
  }
  bury(pid);
  return !killed;
}

/// A process lets go of its files a moment before it is gone; one that nobody has collected yet counts as gone.
bool lives(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string stat;
  std::getline(in, stat);
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.compare(name_end, 3, ") Z") != 0 &&
         stat.compare(name_end, 3, ") X") != 0;
}

std::vector<std::uint32_t> stop_cluster(const local_cluster& c, duration patience,
                                        const std::function<void(std::uint32_t)>& waits_for) {
  std::vector<std::optional<pid_t>> pids;
  for (std::uint32_t i = 0; i < c.nodes; ++i) {
    pids.push_back(node_process(c, i));
    if (pids.back()) ::kill(*pids.back(), SIGTERM);
  }
  std::vector<std::uint32_t> killed;
  for (std::uint32_t i = 0; i < c.nodes; ++i) {
    const auto gone = [&] {
      if (node_process(c, i) != pids[i] && !lives(*pids[i])) return true;
      if (waits_for) waits_for(i);
      return false;
    };
    if (pids[i] && !stop_process(*pids[i], gone, patience)) killed.push_back(i);
  }
  return killed;
}

std::string last_line(const std::string& path) {
  std::ifstream in(path);
  std::string line, last;
  while (std::getline(in, line))
    if (!line.empty()) last = line;
  return last;
}

}  // namespace floe::cli
