/// The check of a file in a process of its own. Between the two goes one line of text:
///   sound RECORDS
///   damaged RECORDS FINDING
///   error CODE CAUSE TEXT
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "storage/health.hpp"

extern char** environ;

namespace floe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::unexpected<store_error> failed(int cause, byte_view doing) {
  return std::unexpected(lmdb_error(cause, doing));
}

struct child {
  pid_t pid = -1;
  int out = -1;  ///< its standard output
};

std::expected<child, store_error> start(std::span<const std::string> command,
                                        const std::string& file) {
  std::vector<std::string> words(command.begin(), command.end());
  words.push_back(file);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failed(errno, "start check");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  child made{-1, ends[0]};
  int rc = posix_spawn(&made.pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (rc != 0) {
    close(ends[0]);
    return failed(rc, "start check");
  }
  return made;
}

/// What the child writes until it closes its output; nothing if the time is up first.
std::optional<std::string> read_all(int fd, steady_clock::time_point until) {
  std::string text;
  for (;;) {
    auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd waiting{fd, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(std::min<milliseconds::rep>(left.count(), 1 << 30))) <=
        0)
      continue;
    char part[4096];
    ssize_t got = read(fd, part, sizeof part);
    if (got <= 0) return text;
    text.append(part, static_cast<std::size_t>(got));
  }
}

byte_view word(byte_view& rest) {
  byte_view first = rest.substr(0, rest.find_first_of(" \n"));
  rest.remove_prefix(std::min(rest.size(), first.size() + 1));
  return first;
}

template <class T>
T number(byte_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::expected<health_report, store_error> understand(byte_view line) {
  byte_view rest = line;
  byte_view verdict = word(rest);
  if (verdict == "sound") return health_report{true, number<std::uint64_t>(word(rest)), {}};
  if (verdict == "damaged") {
    auto records = number<std::uint64_t>(word(rest));
    return health_report{false, records, std::string(rest.substr(0, rest.find('\n')))};
  }
  if (verdict == "error") {
    auto cause = number<int>(word(rest));
    return std::unexpected(lmdb_error(cause, "check"));
  }
  return std::unexpected(own_error(store_errc::io, "check gave no answer: " + std::string(line)));
}

}  // namespace

int health_child(const std::filesystem::path& file) {
  // To die of a damaged page is an answer: no handler shall hide it, no core file be written for
  // it.
  for (int fatal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) signal(fatal, SIG_DFL);
  rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  auto report = check_file(file);
  if (!report)
    std::printf("error %d %s\n", report.error().cause, report.error().text.c_str());
  else if (report->sound)
    std::printf("sound %llu\n", static_cast<unsigned long long>(report->records));
  else
    std::printf("damaged %llu %s\n", static_cast<unsigned long long>(report->records),
                report->finding.c_str());
  return std::fflush(stdout) == 0 ? 0 : 1;
}

std::expected<health_report, store_error> check_file_in_child(std::span<const std::string> command,
                                                              const std::filesystem::path& file,
                                                              milliseconds limit) {
  auto started = start(command, file.string());
  if (!started) return std::unexpected(std::move(started.error()));
  auto text = read_all(started->out, steady_clock::now() + limit);
  close(started->out);
  if (!text) kill(started->pid, SIGKILL);
  int status = 0;
  while (waitpid(started->pid, &status, 0) < 0)
    if (errno != EINTR) return failed(errno, "wait for check");
  if (!text) return health_report{false, 0, "reading it did not end"};
  if (WIFSIGNALED(status))
    return health_report{false, 0, std::string("reading it died: ") + strsignal(WTERMSIG(status))};
  return understand(*text);
}

}  // namespace floe
