#pragma once
/// Inside storage/ only: copies of records in any order in, for each key the best copy out, in key
/// order. Keeps references, about a hundred bytes per key, not records.
#include <functional>
#include <vector>

#include "storage/key.hpp"
#include "storage/record_copy.hpp"

namespace floe {

class copy_pool {
 public:
  void add(const record_copy& copy, const better_copy& better);
  /// After the last add, before the first head.
  void sort(long_key_hash hash);

  bool empty() const { return next_ == order_.size(); }
  const ordered_key& head_key() const { return order_[next_].key; }
  const record_copy& head() const { return copies_[order_[next_].index]; }
  void pop() { ++next_; }

 private:
  void enlarge_table();

  struct place {
    ordered_key key;
    std::uint32_t index = 0;
  };
  std::vector<record_copy> copies_;
  std::vector<std::uint32_t> table_;  ///< open addressing; index into copies_ plus one, 0: empty
  std::vector<place> order_;
  std::size_t next_ = 0;
};

}  // namespace floe
