#include "cli/drill/testbed/real/processes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/drill/testbed/real/wire.hpp"

namespace floe::cli::drill {
namespace {

namespace fs = std::filesystem;

struct process_line {
  pid_t parent = 0, session = 0;
  char state = '?';
};

/// From /proc/PID/stat: behind the name in brackets stand state, parent, group and session.
bool read_process(pid_t pid, process_line& out) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(in, text)) return false;
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return false;
  int parent = 0, group = 0, session = 0;
  if (std::sscanf(text.c_str() + name_end + 1, " %c %d %d %d", &out.state, &parent, &group,
                  &session) != 4)
    return false;
  out.parent = parent;
  out.session = session;
  return true;
}

template <class Visit>
void each_process(Visit visit_one) {
  std::error_code problem;
  for (fs::directory_iterator i("/proc", problem), end; !problem && i != end;
       i.increment(problem)) {
    const auto name = i->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::atol(name.c_str()));
    process_line p;
    if (read_process(pid, p)) visit_one(pid, p);
  }
}

[[noreturn]] void become(char* const* argv, char* const* envp, const char* output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int s : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGALRM}) ::signal(s, SIG_DFL);
  ::alarm(0);
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::close_range(3, ~0U, 0);
  ::execve(argv[0], argv, envp);
  ::_exit(127);
}

}  // namespace

std::expected<pid_t, std::string> start_daemon(const program& p) {
  std::vector<std::string> words = p.words, environment = p.environment;
  std::vector<char*> argv, envp;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  for (auto& e : environment) envp.push_back(e.data());
  for (char** e = ::environ; *e; ++e) {
    const std::string_view theirs(*e);
    bool set = false;
    for (const auto& own : p.environment)
      set |= theirs.starts_with(own.substr(0, own.find('=') + 1));
    if (!set) envp.push_back(*e);
  }
  envp.push_back(nullptr);
  const pid_t self = ::getpid();
  const visit there(p.network);
  const pid_t pid = ::fork();
  if (pid == 0) become(argv.data(), envp.data(), p.output.c_str(), self);
  if (pid < 0) return std::unexpected(fmt::format("{}: {}", p.words[0], std::strerror(errno)));
  return pid;
}

bool ended(pid_t pid, std::string* how) {
  int status = 0;
  const auto got = ::waitpid(pid, &status, WNOHANG);
  if (got == 0) return false;
  if (got == pid && how)
    *how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                               : fmt::format("exit status {}", WEXITSTATUS(status));
  return true;
}

void signal_session(pid_t leader, int signal) {
  each_process([&](pid_t pid, const process_line& p) {
    if (p.session == leader) ::kill(pid, signal);
  });
}

void kill_session(pid_t leader) {
  ::kill(leader, SIGKILL);
  signal_session(leader, SIGKILL);
  ::waitpid(leader, nullptr, 0);
  signal_session(leader, SIGKILL);  // whoever was born meanwhile
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

void kill_descendants() {
  for (;;) {
    each_process([](pid_t pid, const process_line& p) {
      if (p.parent == ::getpid()) ::kill(pid, SIGKILL);
    });
    // children of the dead come to us before the dead are reported, and are seen in the next round
    if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
  }
}

}  // namespace floe::cli::drill
