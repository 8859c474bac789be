#pragma once
/// Sums over all records of a database, by which nodes compare what they have (storage/format.hpp). A large content is read
/// in slices, between which everything else of the node goes on; the sum of a content that has not changed since is known.
#include <cstdint>
#include <functional>
#include <string>

#include "actors/database/database_port.hpp"
#include "protocol/types/database.hpp"

namespace floe {

class content_sums {
 public:
  explicit content_sums(const database_port& port) : port_(port) {}

  /// No sum: says why.
  using told = std::function<void(const db_digest*, const std::string& why)>;
  void sum(told);

 private:
  const database_port& port_;
  std::uint64_t writes_ = ~std::uint64_t{0};  ///< of the store, when the last sum was made
  db_digest last_;
};

}  // namespace floe
