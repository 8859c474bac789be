#include "actors/mark_record.hpp"

#include <cstring>

namespace floe {

void add_mark(rec_buffer_builder& buffer, byte_view key, const record_mark& mark,
              std::uint32_t beside_key) {
  char sum[sizeof mark.data_sum];
  std::memcpy(sum, &mark.data_sum, sizeof sum);
  buffer.add(key, {.rsn = mark.rsn, .flags = mark.written ? mark_written : 0}, {sum, sizeof sum},
             beside_key);
}

std::optional<record_mark> mark_in(const std::optional<record_view>& told) {
  record_mark mark;
  if (!told || told->data.size() != sizeof mark.data_sum) return std::nullopt;
  mark.rsn = told->header.rsn;
  mark.written = told->header.flags & mark_written;
  std::memcpy(&mark.data_sum, told->data.data(), sizeof mark.data_sum);
  return mark;
}

}  // namespace floe
