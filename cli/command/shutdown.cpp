/// floe shutdown: ends a node, and returns when it is gone.
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/waiting_line.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"

namespace floe::cli {
namespace {

constexpr duration look_pause = std::chrono::milliseconds(50);

/// Our own node: it is gone when the socket closes. Another: when our node has lost it.
bool is_gone(blocking_client& c, pnn node, pnn self, duration patience) {
  if (node == self) return !c.async().connected();
  const auto map = c.control<control::get_nodemap>(pnn::current, {}, patience);
  if (!map) return false;
  for (const auto& n : map->value.nodes)
    if (n.pnn == node) return n.flags & node_flag::disconnected;
  return true;
}

int run_shutdown(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const pnn self = (*node)->self();
  const auto end = (*node)->loop().now() + c.patience();
  (*node)->async().send_control_unanswered(*at, control::shutdown, {});
  const waiting_line shown(**node, "shutdown");
  while (!is_gone(**node, *at, self, c.patience())) {
    if ((*node)->loop().now() >= end)
      return c.fail("shutdown", {client_errc::timed_out, 0, "it is still there", *at});
    (void)(*node)->wait<int>(
        [&](auto finished) { (*node)->loop().after(look_pause, [finished] { finished(0); }); });
  }
  if (c.options.json) {
    auto j = open_json("shutdown");
    j.number("node", number(*at));
    print_json(std::move(j));
  }
  return done;
}

}  // namespace

command shutdown_command() {
  return {.name = "shutdown",
          .group = "Node",
          .summary = "end the node, which gives what it has to the others; returns when it is gone",
          .example = "floe --base DIR shutdown -n 2",
          .run = run_shutdown};
}

}  // namespace floe::cli
