#include "storage/record_source.hpp"

#include "storage/key_sort.hpp"

namespace floe {

std::vector<std::uint32_t> sorted_order(std::span<const record_view> records, long_key_hash hash) {
  std::vector<byte_view> keys;
  keys.reserve(records.size());
  for (const auto& r : records) keys.push_back(r.key);
  if (ascend_strictly(keys, hash)) return {};
  const auto numbers = sorted_numbers(keys, hash);
  std::vector<std::uint32_t> order;
  order.reserve(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (i + 1 == numbers.size() || keys[numbers[i]] != keys[numbers[i + 1]])
      order.push_back(numbers[i]);
  return order;
}

}  // namespace floe
