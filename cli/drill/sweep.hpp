#pragma once
/// Many runs at once, each in a process of its own: one that breaks breaks nothing else, and all
/// cores have work.
#include <functional>
#include <string>
#include <vector>

#include "cli/drill/play.hpp"

namespace floe::cli::drill {

struct planned_run {
  const script* drill = nullptr;
  std::uint64_t seed = 1;
  std::string trace{};  ///< file; empty: none
};

/// `done` is called here, in the order in which runs end; `jobs` of them run at a time.
void sweep(const std::vector<planned_run>&, std::size_t jobs,
           const std::function<void(const planned_run&, const verdict&)>& done);

}  // namespace floe::cli::drill
