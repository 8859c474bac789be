#pragma once
/// JSON written as text at once, for reports that are made many times a second: a tree of it would cost more than all that they
/// tell of.
#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

namespace floe {

/// A string of JSON, in its quotes; what is no UTF-8 is replaced.
std::string json_quoted(std::string_view text);

/// "1,2,3": what stands between the brackets of an array of what `of` makes of each.
template <class Range, class Of>
std::string json_list(const Range& all, Of of) {
  std::string text;
  for (const auto& x : all)
    fmt::format_to(std::back_inserter(text), "{}{}", text.empty() ? "" : ",", of(x));
  return text;
}

}  // namespace floe
