/// floe drill: rehearsals of faults. A drill is a file of a few lines; it is played with whole nodes
/// on virtual time, and everything that happens follows from its seed. The parts are in drill/.
#include "cli/command/all.hpp"
#include "cli/command/drill/subcommands.hpp"

namespace floe::cli {

command drill_command() {
  return {.name = "drill",
          .group = "Drills",
          .summary =
              "rehearse faults: scripts of a few lines, played in simulation from a seed, or on "
              "real processes",
          .example = "floe drill list\nfloe drill run --all\nfloe drill run my.drill --seeds 100",
          .subcommands = {drill::run_command(), drill::list_command(), drill::show_command(),
                          drill::check_command(), drill::compare_command(), drill::shrink_command(),
                          drill::hunt_command(), drill::help_command()}};
}

}  // namespace floe::cli
