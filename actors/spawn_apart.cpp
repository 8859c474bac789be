#include "actors/spawn_apart.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cassert>
#include <csignal>

extern char** environ;

namespace floe {

std::expected<pid_t, int> spawn_apart(std::vector<std::string> arguments, apart with) {
  assert(!arguments.empty() && "which program?");
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  if (with.input >= 0)
    ::posix_spawn_file_actions_adddup2(&files, with.input, STDIN_FILENO);
  else
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (with.output >= 0) ::posix_spawn_file_actions_adddup2(&files, with.output, STDOUT_FILENO);
  if (with.errors_too) ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_t how;
  ::posix_spawnattr_init(&how);
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  for (const int s : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGCHLD}) sigaddset(&usual, s);
  ::posix_spawnattr_setsigmask(&how, &none);
  ::posix_spawnattr_setsigdefault(&how, &usual);
  ::posix_spawnattr_setpgroup(&how, 0);
  const int apart_by = with.own_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
  ::posix_spawnattr_setflags(
      &how, static_cast<short>(apart_by | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  std::vector<char*> words;
  for (auto& a : arguments) words.push_back(a.data());
  words.push_back(nullptr);
  pid_t child = -1;
  const int error = ::posix_spawn(&child, words.front(), &files, &how, words.data(), environ);
  ::posix_spawnattr_destroy(&how);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return std::unexpected(error);
  return child;
}

}  // namespace floe
