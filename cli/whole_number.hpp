#pragma once
/// The number that a word is as a whole: nothing before it, nothing behind it, and of a size that its type has.
#include <charconv>
#include <optional>
#include <string_view>
#include <type_traits>

namespace floe::cli {

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number n{};
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
  return n;
}

/// Also in hex, behind 0x.
template <class Number>
requires std::is_integral_v<Number> std::optional<Number> number_or_hex(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return whole_number<Number>(text);
  Number n{};
  const auto r = std::from_chars(text.data() + 2, text.data() + text.size(), n, 16);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace floe::cli
