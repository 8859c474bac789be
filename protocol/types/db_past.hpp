#pragma once
/// What a persistent or replicated content came from (rules/content_past.hpp): the answer of floe's nodes to GET_DB_SEQNUM with
/// the flag seqnum_with_past, and, in the same bytes, what stands in the file beside the records. Not in CTDB.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

struct db_past {
  static constexpr std::size_t wire_size_min = 16;
  std::uint64_t number = 0;  ///< the sequence number of the content that this is the past of
  generation written = generation::invalid;
  std::vector<generation> from;
  bool operator==(const db_past&) const = default;
};

/// As the text of a control travels, which ends at the first NUL: the numbers in their order, decimal.
std::string to_text(const db_past&);
std::optional<db_past> past_in(std::string_view text);

}  // namespace floe
