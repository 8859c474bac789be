#include "actors/sim/scratch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace floe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "floe-sim-";

/// Once is enough for a process and those that it forks: a sweep has thousands of them.
bool looked = false;

/// Those of this process, and of the one that it was forked by.
std::set<fs::path> here;

fs::path place() {
  return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
}

/// "floe-sim-17-3" is of 17.
std::optional<pid_t> owner_of(std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  pid_t pid = 0;
  const auto end = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (end.ec != std::errc() || pid <= 0 || end.ptr == name.data() + name.size() || *end.ptr != '-')
    return std::nullopt;
  return pid;
}

bool lives(pid_t pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

/// Its owner may be a process that we do not see: it holds the lock as long as it lives.
bool abandoned(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  const bool free = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  ::close(fd);
  return free;
}

template <class Wanted>
void remove_if_abandoned(const Wanted& wanted) {
  std::error_code bad;
  for (auto d = fs::directory_iterator(place(), bad); !bad && d != fs::directory_iterator();
       d.increment(bad)) {
    const auto owner = owner_of(d->path().filename().string());
    if (!owner || !wanted(*owner) || !abandoned(d->path())) continue;
    std::error_code ignored;  // another process may be at it, or it is not ours
    fs::remove_all(d->path(), ignored);
  }
}

}  // namespace

scratch_directory::scratch_directory() {
  static unsigned last = 0;
  if (!looked) remove_left_scratch();
  path_ =
      place() / (std::string(prefix) + std::to_string(::getpid()) + "-" + std::to_string(++last));
  fs::remove_all(path_);
  fs::create_directories(path_);
  here.insert(path_);
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ >= 0) (void)::flock(lock_, LOCK_SH | LOCK_NB);
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  here.erase(path_);
  if (lock_ >= 0) ::close(lock_);
}

void remove_left_scratch() {
  looked = true;
  remove_if_abandoned([](pid_t owner) { return !lives(owner); });
}

void remove_own_scratch() {
  std::error_code ignored;
  for (const auto& path : here)
    if (owner_of(path.filename().string()) == ::getpid()) fs::remove_all(path, ignored);
}

void remove_scratch_of(pid_t pid) {
  remove_if_abandoned([pid](pid_t owner) { return owner == pid; });
}

}  // namespace floe
