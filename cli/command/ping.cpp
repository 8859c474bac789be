/// floe ping: is the node there, and how long does an answer take?
#include <fmt/format.h>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

struct echo {
  pnn node;
  double ms = 0;
  result<client_answer<nothing>> answer;
};

/// All at once; each measured on its own.
std::vector<echo> ping_each(blocking_client& c, const std::vector<pnn>& nodes, duration patience) {
  std::vector<echo> all;
  for (const pnn p : nodes) all.push_back({.node = p, .answer = std::unexpected(client_error{})});
  (void)c.wait<int>([&](auto finished) {
    auto left = std::make_shared<std::size_t>(nodes.size());
    for (auto& e : all) {
      const auto sent = c.loop().now();
      c.async().template control<control::ping>(
          e.node, {}, patience, [&c, &e, sent, left, finished](const auto& a) {
            e.ms = std::chrono::duration<double, std::milli>(c.loop().now() - sent).count();
            e.answer = a;
            if (--*left == 0) finished(0);
          });
    }
  });
  return all;
}

int run_ping(context& c, const arguments&) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = ping_each(**c.node(), *nodes, c.patience());
  auto j = open_json("ping");
  j.begin_list("nodes");
  int code = done;
  for (const auto& e : all) {
    j.begin_object();
    j.number("node", number(e.node));
    j.boolean("alive", e.answer.has_value());
    if (e.answer) {
      j.real("ms", e.ms);
      j.integer("clients", e.answer->status);
      if (!c.options.json)
        print(fmt::format("node {}: {:.2f} ms, {}\n", number(e.node), e.ms,
                          count_text(static_cast<std::uint64_t>(e.answer->status), "client")));
    } else {
      j.text("error", e.answer.error().describe());
      const auto one = c.fail("ping", e.answer.error());
      if (code == done) code = one;
    }
    j.end();
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return code;
}

}  // namespace

command ping_command() {
  return {.name = "ping",
          .group = "Node",
          .summary = "is the node there, and how long does an answer take?",
          .example = "floe --base DIR ping -n all",
          .run = run_ping};
}

}  // namespace floe::cli
