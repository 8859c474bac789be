#pragma once
/// A node as a line of a drill names it. Which one that is, is known when the line is played
/// (run/resolve_nodes.hpp).
#include <cstdint>
#include <string>

namespace floe::cli::drill {

struct node_ref {
  enum class kind : std::uint8_t {
    none,  ///< nothing was named
    number,
    leader,
    follower,  ///< a running one that does not lead, by the seed
    any,       ///< a running one, by the seed
    it,        ///< the one that was named last
    named,     ///< with `let`
  };
  kind is = kind::none;
  std::size_t number = 0;
  std::string name{};

  static node_ref fixed(std::size_t n) { return {.is = kind::number, .number = n}; }
  explicit operator bool() const { return is != kind::none; }
};

}  // namespace floe::cli::drill
