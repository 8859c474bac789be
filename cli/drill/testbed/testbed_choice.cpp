#include "cli/drill/testbed/testbed_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/drill/report/run_record.hpp"
#include "cli/drill/testbed/real/real_testbed.hpp"
#include "cli/drill/testbed/sim_testbed.hpp"

namespace floe::cli::drill {

node_kind testbed_choice::kind(std::size_t n) const {
  return all_ctdbd || std::ranges::find(ctdbd, n) != ctdbd.end() ? node_kind::ctdbd
                                                                 : node_kind::floe;
}

std::string option_text(const testbed_choice& c) {
  if (!c.real) return {};
  std::string text = " --real";
  if (c.all_ctdbd) text += " --ctdbd all";
  if (!c.ctdbd.empty()) text += fmt::format(" --ctdbd {}", fmt::join(c.ctdbd, ","));
  if (c.patience != 1) text += fmt::format(" --patience {}", c.patience);
  if (c.skip_impossible) text += " --skip-impossible";
  return text;
}

std::expected<std::unique_ptr<testbed>, std::string> make_testbed(const script& s,
                                                                  std::uint64_t seed,
                                                                  const testbed_choice& c) {
  if (!c.real) return std::make_unique<sim_testbed>(s, seed);
  real_options w{.kinds = {}, .keep = c.keep};
  for (std::size_t n = 0; n < s.nodes; ++n) w.kinds.push_back(c.kind(n));
  return real_testbed::make(s, seed, w);
}

void describe_testbed(const testbed_choice& c, run_record& r) {
  r.mode = "real";
  for (auto& n : r.nodes) n.kind = c.kind(number(n.node)) == node_kind::ctdbd ? "ctdbd" : "floe";
}

}  // namespace floe::cli::drill
