#pragma once
/// Which nodes have had a write, or what came of it: for a history of thousands of lost writes each is not looked for in
/// thousands of sights again.
#include <cstddef>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/register_history.hpp"

namespace floe::cli::drill {

struct record_holder {
  std::size_t node = 0;
  time_us since = 0;          ///< for certain
  time_us from = 0;           ///< perhaps since then: answers take their time
  time_us connected = never;  ///< who tells it, with this process of the node
};

/// A node that has had a copy since then, untouched, gives it to a recovery.
bool gives_its_copy(const history&, const record_holder&, const database_recovery&);

/// Of the writes of one record.
class record_holders {
 public:
  record_holders(const history&, const observations&, const register_history&);

  /// In the order of time, as far as it was seen up to `until`. Quick for a write from which the one came that was asked for
  /// before.
  std::vector<record_holder> of(std::size_t write, time_us until);

 private:
  /// A write and all that came of it stand next to each other in one order of all writes: from `first` up to `last`.
  struct span {
    std::size_t first = 0, last = 0;
  };
  /// Of what one client saw on a node between two recoveries the last is enough: a harm after that is one after all the others.
  using latest_sights = std::map<std::tuple<std::ptrdiff_t, std::size_t, time_us>, record_holder>;
  struct found_so_far {
    span of;
    latest_sights latest;
  };

  void put_in_order();
  void find_sights();
  void add(latest_sights&, const operation&) const;
  void add(latest_sights&, span, time_us until) const;

  const history& h_;
  const observations& seen_;
  const register_history& r_;
  std::vector<time_us> recoveries_;               ///< of the database, when copies were asked for
  std::vector<std::size_t> order_;                ///< writes
  std::unordered_map<std::size_t, span> spans_;   ///< by write
  std::vector<std::vector<std::size_t>> sights_;  ///< by place in the order: what saw that write
  std::map<time_us, found_so_far> found_;         ///< by `until`
};

}  // namespace floe::cli::drill
