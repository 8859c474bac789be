#include "actors/lock/lock_guard.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace floe {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr milliseconds term_patience{1000};  ///< between SIGTERM and SIGKILL for a command
constexpr milliseconds step{20};

std::string cause() { return std::strerror(errno); }

/// One line to the node. A node that is gone is noticed elsewhere.
void say(char what, std::string_view text = {}) {
  std::string line{what};
  line += text;
  for (auto& c : line)
    if (c == '\n') c = ' ';
  line += '\n';
  (void)!::write(STDOUT_FILENO, line.data(), line.size());
}

/// Byte `at` of the file, as POSIX locks go: owned by this process, gone with it.
int lock_byte(int fd, int command, off_t at) {
  struct flock l {};
  l.l_type = F_WRLCK;
  l.l_whence = SEEK_SET;
  l.l_start = at;
  l.l_len = 1;
  return ::fcntl(fd, command, &l);
}

/// What the node says, and the end of its patience.
class lease {
 public:
  explicit lease(milliseconds length) : length_(length), end_(clock::now() + length) {}
  milliseconds left() const {
    return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(end_ - clock::now()));
  }
  /// Reads what has arrived; false if the node has let go.
  bool renew() {
    char some[256];
    const auto n = ::read(STDIN_FILENO, some, sizeof some);
    if (n > 0) end_ = clock::now() + length_;
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
  }

 private:
  milliseconds length_;
  clock::time_point end_;
};

/// Waits for the node and for one more descriptor.
enum class woken { node_gone, lease_over, other, nothing };
woken wait(lease& l, int other, milliseconds at_most) {
  const auto patience = std::min(l.left(), at_most);
  pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {other, POLLIN, 0}};
  const int n = ::poll(fds, 2, static_cast<int>(patience.count()) + 1);
  if (n > 0 && fds[0].revents != 0 && !l.renew()) return woken::node_gone;
  if (l.left() == milliseconds(0)) return woken::lease_over;
  return n > 0 && fds[1].revents != 0 ? woken::other : woken::nothing;
}

// --- a file
// ----------------------------------------------------------------------------------------------------------

/// The child: looks at the file for ever, a character for each time: '.' good, or what is wrong
/// until the end of output.
[[noreturn]] void watch_file(const char* path, int locked, int out, milliseconds pause,
                             pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  struct stat mine {};
  std::string wrong;
  if (::fstat(locked, &mine) != 0) wrong = cause();
  ::close(locked);  // the lock is the parent's
  while (wrong.empty()) {
    struct stat now {};
    const int fd = ::open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
      wrong = errno == ENOENT ? "the file was removed" : "the file cannot be opened: " + cause();
    } else {
      if (::fstat(fd, &now) != 0)
        wrong = "the file cannot be looked at: " + cause();
      else if (now.st_ino != mine.st_ino || now.st_dev != mine.st_dev)
        wrong = "the file was replaced";
      else if (lock_byte(fd, F_SETLKW, 1) != 0)
        wrong = "the file cannot be locked any more: " + cause();
      ::close(fd);
    }
    if (wrong.empty() && ::write(out, ".", 1) != 1) ::_exit(0);
    if (wrong.empty()) ::usleep(static_cast<useconds_t>(pause.count() * 1000));
  }
  (void)!::write(out, wrong.data(), wrong.size());
  ::_exit(0);
}

int hold_file(milliseconds length, milliseconds check, milliseconds patience, const char* path) {
  lease l(length);
  const int fd = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return say('3', std::string(path) + ": " + cause()), 1;
  if (lock_byte(fd, F_SETLK, 0) != 0) {
    if (errno == EACCES || errno == EAGAIN) return say('1'), 0;
    return say('3', std::string(path) + ": cannot be locked: " + cause()), 1;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return say('3', "pipe: " + cause()), 1;
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return say('3', "fork: " + cause()), 1;
  if (child == 0) {
    ::close(STDOUT_FILENO);  // or the node would wait for this child too
    watch_file(path, fd, ends[1], check, self);
  }
  ::close(ends[1]);
  say('0');
  auto answered = clock::now();
  for (;;) {
    const auto silent = std::chrono::duration_cast<milliseconds>(clock::now() - answered);
    if (silent > check + patience) {
      say('L', "the file system does not answer");
      break;
    }
    const auto w = wait(l, ends[0], check + patience - silent);
    if (w == woken::node_gone) break;
    if (w == woken::lease_over) {
      say('L', "the node was not heard of");
      break;
    }
    if (w == woken::nothing) continue;
    char some[512];
    const auto n = ::read(ends[0], some, sizeof some);
    if (n > 0 && some[n - 1] == '.') {
      answered = clock::now();
      continue;
    }
    say('L',
        n > 0 ? std::string_view(some, static_cast<std::size_t>(n)) : "the watch of the file died");
    break;
  }
  ::kill(child, SIGKILL);
  return 0;
}

// --- a command
// -------------------------------------------------------------------------------------------------------

bool bury(pid_t pid) {
  bool gone = false;
  for (pid_t p = 0; (p = ::waitpid(-1, nullptr, WNOHANG)) != 0;) {
    if (p < 0) return errno == ECHILD || gone;
    gone |= p == pid;
  }
  return gone;
}

/// Whatever has left the group of the command comes to us as its nearest living ancestor.
void kill_descendants() {
  const auto list = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  for (int round = 0; round < 50; ++round) {
    std::FILE* f = std::fopen(list.c_str(), "re");
    if (!f) return;
    int pid = 0;
    bool any = false;
    while (std::fscanf(f, "%d", &pid) == 1) {
      any = true;
      ::kill(pid, SIGKILL);
    }
    std::fclose(f);
    if (!any) return;
    bury(0);
    ::usleep(2000);
  }
}

void end_command(pid_t child) {
  ::kill(0, SIGTERM);  // the group; this process has blocked it
  const auto end = clock::now() + term_patience;
  while (!bury(child) && clock::now() < end)
    ::usleep(static_cast<useconds_t>(step.count() * 1000 / 4));
  kill_descendants();
}

std::optional<int> start_command(char** words, pid_t& child) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return std::nullopt;
  const pid_t self = ::getpid();
  child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != self) ::_exit(1);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::execv(words[0], words);
    (void)!::write(STDOUT_FILENO, "X", 1);
    ::_exit(127);
  }
  ::close(out[1]);
  if (child < 0) return std::nullopt;
  return out[0];
}

int run_command(milliseconds length, char** words) {
  lease l(length);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t child = -1;
  const auto out = start_command(words, child);
  if (!out) return say('3', "cannot start the command: " + cause()), 1;
  bool held = false, open = true;
  for (;;) {
    // without output to wait for, its end must be looked for
    const auto w = wait(l, open ? *out : -1, open ? milliseconds(60'000) : step);
    if (w == woken::node_gone) break;
    if (w == woken::lease_over) {
      say(held ? 'L' : '3', "the node was not heard of");
      break;
    }
    if (w == woken::other) {
      char some[256];
      const auto n = ::read(*out, some, sizeof some);
      if (n <= 0) {
        open = false;
      } else if (!held) {
        if (some[0] == '1') return say('1'), end_command(child), 0;
        if (some[0] != '0') {
          say('3', some[0] == '2'   ? "the command says: timed out"
                   : some[0] == 'X' ? "the command cannot be run"
                                    : "the command says: error");
          return end_command(child), 1;
        }
        held = true;
        say('0');
      }
    }
    if (!open && bury(child)) {
      say(held ? 'L' : '3', held ? "the command ended" : "the command ended without an answer");
      break;
    }
  }
  end_command(child);
  return 0;
}

milliseconds ms(const char* text) {
  long n = 0;
  std::from_chars(text, text + std::strlen(text), n);
  return milliseconds(std::max(1L, n));
}

}  // namespace

int lock_guard(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto is = [&](const char* mode, int least) {
    return count >= least && std::string_view(words[1]) == mode;
  };
  if (is("file", 5)) return hold_file(ms(words[0]), ms(words[2]), ms(words[3]), words[4]);
  if (is("run", 3)) return run_command(ms(words[0]), words + 2);
  return say('3', "wrong use"), 2;
}

}  // namespace floe
