#pragma once
/// The last step of a merge of what has changed: the winners, sorted by who lacks them, in buffers to be pushed. It knows nothing of
/// actors, so that a large one is done on another thread.
#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/rules/db_recovery.hpp"
#include "protocol/types/rec_data.hpp"
#include "storage/difference.hpp"

namespace floe {

/// Pushed buffers, and who gets them; nobody named: all that are pushed to.
struct parcel_of_winners {
  std::vector<pnn> to;
  std::vector<frame> buffers;
};

struct merged_difference {
  db_id db{0};
  std::size_t buffer_size = 0;
  std::unique_ptr<difference_merge> difference;  ///< until it is merged
  std::vector<pnn> fresh;                        ///< who get all records
  std::vector<rec_buffer>
      unchanged;  ///< what fresh ones lack besides; views into what `difference` keeps

  bool complete = false;  ///< false: copies that were asked for have not come
  std::vector<parcel_of_winners> parcels{};
  std::vector<db_lack> lack{};  ///< how many records each node lacks
  std::uint64_t keys = 0, winners = 0, kept = 0, lost = 0;

  void carry_out();
};

}  // namespace floe
