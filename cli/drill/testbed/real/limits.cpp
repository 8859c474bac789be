#include "cli/drill/testbed/real/limits.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/drill/testbed/real/wire.hpp"

namespace floe::cli::drill {
namespace {

bool write_file(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool good = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return good;
}

/// Tries it in a process that is thrown away; what it says is why it cannot be done.
template <class Try>
std::optional<std::string> tried(Try attempt) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::strerror(errno);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::optional<std::string> why = attempt();
    if (why) (void)!::write(ends[1], why->data(), why->size());
    ::_exit(why ? 1 : 0);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[256];
  for (ssize_t n = 0; pid > 0 && (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) return "no process can be started";
  if (status == 0) return std::nullopt;
  return said.empty() ? "it cannot be tried" : said;
}

}  // namespace

std::optional<std::string> enter_own_mounts() {
  const auto uid = ::getuid();
  const auto gid = ::getgid();
  if (::unshare(CLONE_NEWNS) != 0) {
    // who has left a network that is not his cannot go back: so we go to one of our own, once
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0)
      return fmt::format("namespaces are not permitted here: {}", std::strerror(errno));
    if (!write_file("/proc/self/setgroups", "deny") ||
        !write_file("/proc/self/uid_map", fmt::format("0 {} 1", uid)) ||
        !write_file("/proc/self/gid_map", fmt::format("0 {} 1", gid)))
      return fmt::format("a user namespace cannot be set up: {}", std::strerror(errno));
    if (!raise_loopback())
      return fmt::format("loopback addresses cannot be used: {}", std::strerror(errno));
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return fmt::format("mounts cannot be kept private: {}", std::strerror(errno));
  return std::nullopt;
}

real_limits find_limits(const real_options& w) {
  real_limits l;
  l.any_ctdbd = std::ranges::find(w.kinds, node_kind::ctdbd) != w.kinds.end();
  l.no_mounts = tried([] { return enter_own_mounts(); });
  l.no_wire = l.no_mounts ? l.no_mounts : tried([]() -> std::optional<std::string> {
    if (auto why = enter_own_mounts()) return why;
    if (auto made = wire::make(1, "10.99.0", 1); !made) return made.error();
    return std::nullopt;
  });
  return l;
}

std::optional<std::string> real_limits::cannot(ability a) const {
  switch (a) {
    case ability::clock_skew: return "all processes of a machine have one clock; --sim can";
    case ability::failing_disk:
      return "single writes of a real disk cannot be made to fail; --sim can";
    case ability::slow_disk: return "a real disk cannot be slowed down; --sim can";
    case ability::full_disk: return no_mounts;
    case ability::cut_links:
    case ability::bad_links: return no_wire;
    case ability::stray_streams:
      return "connections of other processes cannot be ended here; --sim can";
    case ability::lock_faults:
      return "only a simulated cluster lock can be lost or wedged; --sim can";
    case ability::transactions:
      if (any_ctdbd) return "clients of a ctdbd have no transactions here";
      return std::nullopt;
    case ability::new_nodes:
      return "the network of real processes has as many places as there are nodes at the "
             "beginning; --sim can";
    case ability::held_recoveries:
      if (any_ctdbd) return "ctdbd cannot make a recovery wait at a phase";
      return std::nullopt;
    case ability::database_states:
      if (any_ctdbd) return "ctdbd does not say whether a database is frozen";
      return std::nullopt;
    case ability::client_packets: return "clients talk to processes";
  }
  return std::nullopt;
}

}  // namespace floe::cli::drill
