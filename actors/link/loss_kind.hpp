#pragma once
/// How a node that was connected is lost: what its link saw, as the log names it and as reports judge it.
#include <cstdint>
#include <string_view>
#include <utility>

namespace floe {

enum class loss_kind : std::uint8_t {
  ended,   ///< its process has ended, as far as its machine says
  silent,  ///< no sign of life for too long; it may live where we cannot reach it
  broken,  ///< the connection ended in another way; it may live
};

constexpr std::string_view name(loss_kind k) {
  switch (k) {
    case loss_kind::ended: return "ended";
    case loss_kind::silent: return "silent";
    case loss_kind::broken: return "broken";
  }
  std::unreachable();
}

}  // namespace floe
