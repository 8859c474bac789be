#pragma once
/// What came out of one recovery, database by database, for whoever looks afterwards.
#include <map>
#include <string>

#include "actors/node/node_message.hpp"
#include "actors/recovery/recovery_message.hpp"

namespace floe {

class recovery_tally {
 public:
  void recovered(db_id, db_outcome);
  /// The contents of a database were not equal on all nodes after it.
  void differed(std::string_view db, const evidence&);

  const recovered_counts& counts() const { return counts_; }
  /// A line for each content that was not equal.
  const std::string& what_differed() const { return differed_; }
  /// All of it, as JSON.
  std::string json(generation, const std::string& why, std::int64_t started_us,
                   std::int64_t ms) const;

 private:
  std::map<db_id, db_outcome> outcomes_;
  recovered_counts counts_;
  std::string differed_;
};

}  // namespace floe
