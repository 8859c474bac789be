#pragma once
/// Many runs at once, each in a process of its own: one that breaks breaks nothing else, and all
/// cores have work.
#include <functional>
#include <vector>

#include "cli/drill/run/planned_run.hpp"

namespace floe::cli::drill {

/// `done` is called here, in the order in which runs end; `jobs` of them run at a time. SIGINT and
/// SIGTERM end the runs, which clean up after themselves; the answer is the signal, or 0.
int sweep(const std::vector<planned_run>&, std::size_t jobs,
          const std::function<void(const planned_run&, const verdict&)>& done);

}  // namespace floe::cli::drill
