#pragma once
/// What is printed of runs: a few lines of one, a table of many, JSON.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "cli/drill/run/sweep.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli::drill {

void print_failure(const planned_run&, const verdict&);
void print_one(const planned_run&, const verdict&);
/// Members of an object that is open.
void put_members(wire::json_writer&, const planned_run&, const verdict&);

/// All seeds of one drill in a line.
struct tally {
  std::size_t runs = 0, failed = 0;
  double real_ms = 0, virtual_ms = 0, worst_pause_ms = 0, worst_wait_ms = 0;
  std::uint64_t writes = 0, losses = 0;
  void add(const verdict& v) {
    ++runs;
    failed += !v.held;
    real_ms += v.real_ms;
    virtual_ms += v.virtual_ms;
    worst_pause_ms = std::max(worst_pause_ms, v.longest_pause_ms);
    worst_wait_ms = std::max(worst_wait_ms, v.longest_wait_ms);
    writes += v.writes;
    losses += v.losses;
  }
};
/// A line for each drill.
void print_tallies(const std::vector<script>& drills, const std::vector<tally>&);

}  // namespace floe::cli::drill
