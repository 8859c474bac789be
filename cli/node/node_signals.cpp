#include "cli/node/node_signals.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace floe::cli {
namespace {

constexpr std::array ending{SIGTERM, SIGINT, SIGQUIT};
/// Whose default is to end the process, and which nobody sends to a node with a purpose.
constexpr std::array stray{SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGXCPU};
constexpr std::array faults{SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

int fault_log = -1;

// --- inside a signal handler: only what may be called there -------------------------------------------------------

void append_number(char*& to, unsigned long n, unsigned base) {
  char digits[20];
  int count = 0;
  do digits[count++] = "0123456789abcdef"[n % base];
  while ((n /= base) != 0);
  while (count > 0) *to++ = digits[--count];
}
void append_text(char*& to, std::string_view text) {
  for (const char c : text) *to++ = c;
}
std::string_view meaning(int number) {
  switch (number) {
    case SIGSEGV: return "SIGSEGV: an invalid address was used";
    case SIGBUS:
      return "SIGBUS: memory behind a file could not be had (is a disk full, or was a file cut "
             "off?)";
    case SIGABRT:
      return "SIGABRT: an invariant of the program is broken, a database's file is damaged, or "
             "there "
             "is no memory; standard error says which";
    case SIGFPE: return "SIGFPE: an impossible calculation";
    case SIGILL: return "SIGILL: an unknown instruction";
    case SIGTRAP: return "SIGTRAP: a trap of a debugger, which is not there";
    case SIGSYS: return "SIGSYS: a system call that is not permitted (by the service's filter?)";
    default: return "?";
  }
}
/// A line of /proc/self/maps begins with "from-to ", in hex.
bool covers(std::string_view line, unsigned long address) {
  unsigned long bounds[2] = {};
  std::size_t at = 0;
  for (auto& bound : bounds) {
    for (; at < line.size() && line[at] != '-' && line[at] != ' '; ++at)
      bound = bound * 16 +
              static_cast<unsigned long>(line[at] <= '9' ? line[at] - '0' : line[at] - 'a' + 10);
    ++at;
  }
  return bounds[0] <= address && address < bounds[1];
}
/// The file that is mapped at this address; empty: none. `room` holds what is returned.
std::string_view mapped_file(unsigned long address, std::span<char> room) {
  const int fd = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string_view found;
  std::size_t used = 0;
  char part[1024];
  for (ssize_t n = 0; found.empty() && (n = ::read(fd, part, sizeof part)) > 0;)
    for (const char c : std::span(part, static_cast<std::size_t>(n))) {
      if (c != '\n') {
        if (used < room.size()) room[used++] = c;
        continue;
      }
      const std::string_view line(room.data(), std::exchange(used, 0));
      if (!covers(line, address)) continue;
      if (const auto path = line.find('/'); path != line.npos) found = line.substr(path);
      break;
    }
  ::close(fd);
  return found;
}
void last_line(int number, siginfo_t* about, void*) {
  char line[1024];
  char* end = line;
  append_text(end, "fatal-signal number=");
  append_number(end, static_cast<unsigned long>(number), 10);
  const bool sent = about->si_code == SI_USER;  // not by a fault: there is a sender, and no address
  append_text(end, " address=0x");
  append_number(end, sent ? 0 : reinterpret_cast<unsigned long>(about->si_addr), 16);
  append_text(end, " why=\"");
  if (sent) {
    append_text(end, "process ");
    append_number(end, static_cast<unsigned long>(about->si_pid), 10);
    append_text(end, " has sent it: a watchdog, or somebody\"\n");
  } else {
    append_text(end, meaning(number));
    append_text(end, "\"");
    char room[600];
    const auto address = reinterpret_cast<unsigned long>(about->si_addr);
    if (const auto file = number == SIGBUS ? mapped_file(address, room) : std::string_view();
        !file.empty()) {
      append_text(end, " file=\"");
      append_text(end, file);
      append_text(end, "\"");
    }
    append_text(end, "\n");
  }
  for (const int fd : {fault_log, STDERR_FILENO})
    if (fd >= 0 && ::write(fd, line, static_cast<std::size_t>(end - line)) < 0) continue;
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace

sigset_t node_signals() {
  sigset_t s;
  sigemptyset(&s);
  for (const int n : ending) sigaddset(&s, n);
  for (const int n : stray) sigaddset(&s, n);
  for (int n = SIGRTMIN; n <= SIGRTMAX; ++n) sigaddset(&s, n);
  sigaddset(&s, SIGHUP);
  sigaddset(&s, SIGUSR1);
  return s;
}

signal_watch::signal_watch(event_loop& loop, signal_actions actions) : loop_(loop) {
  const auto wanted = node_signals();
  fd_ = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  loop_.watch(fd_, EPOLLIN, [fd = fd_, actions = std::move(actions)](std::uint32_t) {
    signalfd_siginfo info{};
    while (::read(fd, &info, sizeof info) == sizeof info) {
      const int number = static_cast<int>(info.ssi_signo), from = static_cast<int>(info.ssi_pid);
      switch (number) {
        case SIGTERM:
        case SIGINT:
        case SIGQUIT: actions.end(number, from); break;
        case SIGHUP: actions.reload(number, from); break;
        case SIGUSR1: actions.report(number, from); break;
        default: actions.other(number, from);
      }
    }
  });
}

signal_watch::~signal_watch() {
  loop_.unwatch(fd_);
  ::close(fd_);
}

void report_faults_to(const log_target& target) {
  const int before = fault_log;
  if (target.to == log_target::kind::file)
    fault_log = ::open(target.path.c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
  if (fault_log < 0) fault_log = before;  // whoever has moved the file has it still
  if (before >= 0 && before != fault_log) ::close(before);
  struct sigaction action {};
  action.sa_sigaction = last_line;
  action.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER | SA_ONSTACK;
  // a stack of its own: the fault may be that there is no stack left
  static std::array<char, 65536> room;
  const stack_t stack{.ss_sp = room.data(), .ss_flags = 0, .ss_size = room.size()};
  ::sigaltstack(&stack, nullptr);
  for (const int n : faults) ::sigaction(n, &action, nullptr);
}

}  // namespace floe::cli
