#include "protocol/rules/parts.hpp"

#include <algorithm>

#include "protocol/mutant.hpp"

namespace floe {

part part_that_goes_on(const part_history& members, const part_history& returner) {
  if (mutated(mutant::smaller_part_thrown_away)) return part::members;
  const bool moved =
      mutated(mutant::moved_counts_as_written) && members.at_parting.rsn != members.now.rsn;
  if (members.wrote() || moved) return part::members;
  if (returner.wrote()) return part::returner;
  const bool same_data = members.at_parting.data_sum == returner.at_parting.data_sum;
  const auto& of_members = same_data ? members.now : members.at_parting;
  const auto& of_returner = same_data ? returner.now : returner.at_parting;
  return of_returner.rsn > of_members.rsn ? part::returner : part::members;
}

record_header winning_header(record_header winner, const record_mark& loser) {
  if (winner.rsn <= loser.rsn) winner.rsn = next(loser.rsn);
  return winner;
}

}  // namespace floe
