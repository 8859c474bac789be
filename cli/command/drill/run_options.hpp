#pragma once
/// What `floe drill run` was asked for.
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/command/drill/result_files.hpp"
#include "cli/drill/run/sweep.hpp"

namespace floe::cli::drill {

struct run_options {
  std::vector<script> drills;
  std::optional<std::uint64_t> first_seed;
  std::uint64_t seeds = 1;
  std::size_t jobs = 1;
  std::string trace;
  bool verbose = false, narrate = false;
  result_files::names files;
  testbed_choice on;

  /// Every drill with every seed. They point into `drills`.
  std::vector<planned_run> runs() const;
};

/// The error is one line.
std::expected<run_options, std::string> read_run_options(const arguments&);

}  // namespace floe::cli::drill
