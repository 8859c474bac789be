#include "actors/database/asked_node.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace floe {
namespace {

constexpr std::array<std::pair<asked_node::thing, std::string_view>, 2> words{{
    {asked_node::thing::record, "migrating-from-node-"},
    {asked_node::thing::copy, "a-copy-asked-of-node-"},
}};

}  // namespace

std::string to_word(const asked_node& a) {
  std::string text(words[static_cast<std::size_t>(a.what)].second);
  return text + std::to_string(number(a.node));
}

std::optional<asked_node> asked_node_in(std::string_view why) {
  for (const auto& [what, word] : words) {
    if (!why.starts_with(word)) continue;
    const auto digits = why.substr(word.size());
    std::uint32_t n = 0;
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (r.ec != std::errc() || r.ptr != digits.data() + digits.size()) return std::nullopt;
    return asked_node{what, pnn{n}};
  }
  return std::nullopt;
}

}  // namespace floe
