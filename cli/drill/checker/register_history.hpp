#pragma once
/// The history of one record, as that of a register: writes with values of their own, and sights.
/// A deletion writes "no record"; so did nobody before the first write.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/drill/history.hpp"

namespace floe::cli::drill {

/// A sight that no order of the operations allows.
struct stale_sight {
  std::size_t sight = 0;                ///< the operation that saw it
  std::vector<std::size_t> missing;     ///< writes that were over before it, and after what it saw
  bool unknown_value = false;           ///< nobody has ever written what it saw
};

struct register_history {
  std::vector<std::size_t> writes;  ///< stores and deletions that were not refused, by their begin
  std::vector<std::size_t> sights;  ///< locks and reads that were answered, by their end
  std::vector<std::size_t> all;     ///< every operation of this record
};

std::map<std::pair<std::string, std::string>, register_history> by_record(const history&);
std::vector<stale_sight> stale_sights(const history&, const register_history&);

/// Whether the loss of this write is explained: a node that had its record, as it was written or
/// later, or was about to get it, was disturbed after that.
bool loss_is_explained(const history&, const register_history&, std::size_t write);

}  // namespace floe::cli::drill
