/// Directories of simulated clusters: their own, and those that killed processes have left behind.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "actors/sim/scratch.hpp"

using namespace floe;

namespace fs = std::filesystem;

TEST_CASE("a directory goes with its cluster, and one whose owner was killed at the next start") {
  fs::path mine;
  {
    const scratch_directory here;
    mine = here.path();
    std::ofstream(mine / "file") << "x";
    remove_left_scratch();
    CHECK(fs::exists(mine / "file"));
  }
  CHECK(!fs::exists(mine));

  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const scratch_directory there;
    const auto path = there.path().string();
    if (::write(ends[1], path.data(), path.size()) < 0) ::_exit(1);
    while (true) ::pause();
  }
  char buffer[4096];
  const auto n = ::read(ends[0], buffer, sizeof buffer);
  REQUIRE(n > 0);
  const fs::path theirs(std::string(buffer, static_cast<std::size_t>(n)));
  remove_left_scratch();
  remove_scratch_of(child);
  CHECK(fs::exists(theirs));  // it lives
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  remove_left_scratch();
  CHECK(!fs::exists(theirs));
  ::close(ends[0]);
  ::close(ends[1]);
}
