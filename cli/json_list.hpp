#pragma once
/// Lists of objects, as most answers have them.
#include <string_view>

#include "protocol/wire/json.hpp"

namespace floe::cli {

/// "name": [{...}, ...]; `members` writes those of one element.
template <class List, class Members>
void put_objects(wire::json_writer& j, std::string_view name, const List& list, Members members) {
  j.begin_list(name);
  for (const auto& one : list) {
    j.begin_object();
    members(one);
    j.end();
  }
  j.end();
}

/// A text, or null where there is none.
inline void put_text_or_null(wire::json_writer& j, std::string_view name, const char* text) {
  text ? j.text(name, text) : j.null(name);
}

}  // namespace floe::cli
