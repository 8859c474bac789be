#include "cli/drill/checker/checker.hpp"

#include <fmt/format.h>

namespace floe::cli::drill {

const std::vector<checker>& all_checkers() {
  static const std::vector<checker> all{
      kept_writes_checker(),     kept_deletions_checker(), linear_records_checker(),
      exclusive_locks_checker(), rising_rsn_checker(),     one_owner_checker(),
      frozen_reads_checker(),    generations_checker(),    answered_once_checker(),
      whole_commits_checker(),   kept_commits_checker(),   ordered_commits_checker(),
      equal_copies_checker(),    equal_contents_checker(), undeserved_bans_checker(),
      no_spinning_checker(),     back_to_normal_checker(),
  };
  return all;
}

std::string at_text(time_us t) {
  if (t == never) return "the end";
  return fmt::format("{:.3f} s", static_cast<double>(t) / 1e6);
}

std::string cause_text(const disturbance& d) {
  return fmt::format("node {}, {} at {}", d.node, d.what, at_text(d.from));
}

std::string record_text(const operation& o) { return o.db + "/" + o.key; }

}  // namespace floe::cli::drill
