#pragma once
/// The history of one record, as that of a register: writes with values of their own, and sights.
/// A deletion writes "no record"; so did nobody before the first write. Wiping a database deletes each
/// of its records. Databases that are written by transactions are another matter (commits.hpp).
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cli/drill/checker/history.hpp"

namespace floe::cli::drill {

/// A sight that no order of the operations allows.
struct stale_sight {
  std::size_t sight = 0;  ///< the operation that saw it
  std::vector<std::size_t>
      missing;  ///< writes that were over before it, and after what it saw, the last one first
  bool unknown_value = false;  ///< nobody has ever written what it saw
  std::unordered_set<std::size_t> is_missing{missing.begin(), missing.end()};
};

struct register_history {
  std::vector<std::size_t> writes;  ///< stores and deletions that were not refused, by their begin
  std::vector<std::size_t> sights;  ///< locks and reads that were answered, by their end
  std::vector<std::size_t> all;     ///< every operation of this record
  /// By what writes left: their places in `writes`, ascending.
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_value;

  /// Of the writes that left this value, and began until then, the last one; not `except`.
  std::optional<std::size_t> writer_of(const history&, std::string_view value, time_us until,
                                       std::size_t except) const;
};

/// By database and key. It lies in the history, which must outlive it and not change.
std::map<std::pair<std::string_view, std::string_view>, register_history> by_record(const history&);
/// Without what was seen on nodes that did not know that the others had gone on.
register_history without_the_dark(const history&, register_history);
std::vector<stale_sight> stale_sights(const history&, const register_history&);

}  // namespace floe::cli::drill
