#include "actors/node/membership/nodes_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "actors/spawn_apart.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe {
namespace {

using std::chrono::steady_clock;
constexpr auto time_to_print = std::chrono::seconds(10);
constexpr std::size_t most_bytes = 1 << 20;

/// A child that is not there any more when this goes.
class child_process {
 public:
  ~child_process() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    if (out_ >= 0) ::close(out_);
  }

  /// 0, or the system's error.
  int start(std::string command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
    out_ = ends[0];
    const auto child = spawn_apart({"/bin/sh", "-c", std::move(command)}, {.output = ends[1]});
    ::close(ends[1]);
    if (!child) return child.error();
    pid_ = *child;
    return 0;
  }

  int out() const { return out_; }

  /// After its output has ended: how it ends, in words; empty: well. Nothing: it goes on.
  std::optional<std::string> ended() {
    int status = 0;
    const auto got = ::waitpid(pid_, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
    pid_ = -1;
    if (got < 0) return std::string(std::strerror(errno));
    if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0) return fmt::format("exit status {}", WEXITSTATUS(status));
    return std::string();
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

}  // namespace

std::expected<std::string, std::string> output_of_nodes_command(const std::string& setting) {
  child_process child;
  if (const int error = child.start(setting.substr(1)); error != 0)
    return std::unexpected(std::string("cannot be run: ") + std::strerror(error));
  const auto deadline = steady_clock::now() + time_to_print;
  const auto left = [&] { return in_ms(deadline - steady_clock::now()); };
  std::string text;
  while (left() > 0) {
    pollfd one{child.out(), POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(left())) <= 0) continue;
    char some[4096];
    const auto n = ::read(child.out(), some, sizeof some);
    if (n < 0 && errno == EINTR) continue;
    if (n > 0) text.append(some, static_cast<std::size_t>(n));
    if (text.size() > most_bytes) return std::unexpected("prints more than a list of nodes has");
    if (n > 0) continue;
    // it has closed its output and need not have ended yet
    for (; left() > 0; ::poll(nullptr, 0, 1))
      if (const auto bad = child.ended()) {
        if (!bad->empty()) return std::unexpected(*bad);
        return text;
      }
  }
  return std::unexpected(fmt::format("has not ended after {} s", time_to_print.count()));
}

}  // namespace floe
