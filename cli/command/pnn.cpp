/// floe pnn: the number of the node we are connected to.
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

int run_pnn(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  const auto self = number((*node)->self());
  if (!c.options.json) {
    print(std::to_string(self) + "\n");
    return done;
  }
  auto j = open_json("pnn");
  j.number("pnn", self);
  print_json(std::move(j));
  return done;
}

}  // namespace

command pnn_command() {
  return {.name = "pnn",
          .group = "Node",
          .summary = "number of the node",
          .example = "floe --base DIR pnn",
          .run = run_pnn};
}

}  // namespace floe::cli
