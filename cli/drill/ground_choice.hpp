#pragma once
/// On what a drill is to be played.
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "cli/drill/ground.hpp"
#include "cli/drill/script.hpp"

namespace floe::cli {
struct run_record;
}

namespace floe::cli::drill {

struct ground_choice {
  bool real = false;
  bool all_ctdbd = false;
  std::vector<std::size_t> ctdbd{};  ///< these nodes are ctdbd
  bool skip_impossible = false;
  bool keep = false;
  double patience = 1;

  node_kind kind(std::size_t n) const;
};

/// As options of the command line, with a space before each; empty in simulation.
std::string option_text(const ground_choice&);
/// The error is one line.
std::expected<std::unique_ptr<ground>, std::string> make_ground(const script&, std::uint64_t seed, const ground_choice&);
/// Says in the record of a run on what it was played.
void describe_ground(const ground_choice&, run_record&);

}  // namespace floe::cli::drill
