#pragma once
/// A script as it can be written down again: lines, and blocks of lines.
#include <cstdint>
#include <string>
#include <vector>

#include "cli/drill/language/script.hpp"

namespace floe::cli::drill {

struct script_line {
  std::string text;
  verb::kind is = verb::kind::plain;
  std::uint64_t times = 1;
  std::vector<std::vector<script_line>> blocks{};
  bool operator==(const script_line&) const = default;
};
using script_lines = std::vector<script_line>;

script_lines lines_of(const std::vector<statement>&);
std::string text_of(const script_lines&, std::size_t indent = 0);
/// With all in blocks.
std::size_t count_of(const script_lines&);
/// "cluster nodes=4 seed=17": the line with this seed in it.
std::string cluster_with_seed(const std::string& line, std::uint64_t seed);

/// What was played, in order, with no blocks: from the trace of a run.
script_lines played_lines(const script&, const std::vector<std::string>& trace);
/// The same where `any`, `leader`, `follower` and names given with `let` are the nodes that they
/// were.
script_lines played_on_nodes(const script&, const std::vector<std::string>& trace);

}  // namespace floe::cli::drill
