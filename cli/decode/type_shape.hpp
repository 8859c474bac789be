#pragma once
/// What a wire type looks like, found by looking at values of it: the description of a type only
/// has functions, so random values are made and their fields collected. Always the same values, so
/// always the same answer.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "protocol/wire/codec.hpp"

namespace floe::cli {

struct shape_field {
  std::string path;  ///< "nodes[].addr.port"; empty: the value itself
  std::string kind;  ///< u8, u16, u32, u64, i32, i64, f64, text, octets, padding
  std::size_t min_size = 0;
  std::size_t max_size = 0;           ///< equal: fixed
  std::optional<std::size_t> offset;  ///< in the value, if always the same
  bool in_list = false;
  bool always = false;  ///< in every value (entries of lists: in every list that is not empty)
};

/// In the order of the wire.
std::vector<shape_field> shape_of(const wire::type_info&);

}  // namespace floe::cli
