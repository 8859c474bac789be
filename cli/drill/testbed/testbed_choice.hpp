#pragma once
/// On what a drill is to be played.
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "cli/drill/language/script.hpp"
#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli {
struct run_record;
}

namespace floe::cli::drill {

struct testbed_choice {
  bool real = false;
  bool all_ctdbd = false;
  std::vector<std::size_t> ctdbd{};  ///< these nodes are ctdbd
  bool skip_impossible = false;
  bool keep = false;
  double patience = 1;

  node_kind kind(std::size_t n) const;
};

/// As options of the command line, with a space before each; empty in simulation.
std::string option_text(const testbed_choice&);
/// The error is one line.
std::expected<std::unique_ptr<testbed>, std::string> make_testbed(const script&, std::uint64_t seed,
                                                                  const testbed_choice&);
/// Says in the record of a run on what it was played.
void describe_testbed(const testbed_choice&, run_record&);

}  // namespace floe::cli::drill
