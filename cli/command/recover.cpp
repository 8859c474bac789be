/// floe recover: asks for a recovery and waits for its end.
#include <fmt/format.h>

#include "actors/client/recovery_wait.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe::cli {
namespace {

int run(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const auto before = (*node)->control<control::getvnnmap>(*at, {}, c.patience());
  if (!before) return c.fail("recover", before.error());
  const auto begin = (*node)->loop().now();
  const auto asked =
      (*node)->control<control::set_recmode>(*at, recovery_mode::active, c.patience());
  if (!asked) return c.fail("recover", asked.error());
  const auto end = (*node)->wait<recovered_state>([&](auto finished) {
    wait_recovered((*node)->async(), *at, before->value.generation, c.long_patience(), finished);
  });
  if (!end) return c.fail("recover", end.error());
  const double ms =
      std::chrono::duration<double, std::milli>((*node)->loop().now() - begin).count();
  if (c.options.json) {
    auto j = open_json("recover");
    j.number("generation", number(end->generation));
    j.real("ms", ms);
    print_json(std::move(j));
  } else {
    print(fmt::format("recovered in {}, generation {}\n", age_text(ms), number(end->generation)));
  }
  return done;
}

}  // namespace

command recover_command() {
  return {.name = "recover",
          .group = "Cluster",
          .summary = "start a recovery and wait for its end",
          .example = "floe --base DIR recover -t 30",
          .run = run};
}

}  // namespace floe::cli
