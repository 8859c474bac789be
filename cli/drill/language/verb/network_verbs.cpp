/// What happens to the network between nodes. As with TCP nothing is lost for good: it comes late.
#include <fmt/format.h>

#include <algorithm>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

action read_isolate(line_parser& w) {
  w.needs(ability::cut_links);
  return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) -> outcome {
    s.disturb_sides({n});
    s.cluster().split({n});
    return {};
  });
}

action read_split(line_parser& w) {
  w.needs(ability::cut_links);
  auto nodes = w.nodes();
  w.expect("from");
  w.expect("others");
  return [nodes](drill_run& s) -> outcome {
    const auto side = resolve(s, nodes);
    if (!side) return failed_because(side.error());
    s.disturb_sides(*side);
    s.cluster().split(*side);
    return {};
  };
}

/// For every node of the one with every other of the other.
action with_each_pair(line_parser& w, const char* between,
                      std::function<void(drill_run&, std::size_t, std::size_t)> act) {
  auto a = w.nodes();
  w.expect(between);
  auto b = w.nodes();
  return [a, b, act = std::move(act)](drill_run& s) -> outcome {
    const auto ones = resolve(s, a);
    if (!ones) return failed_because(ones.error());
    const auto others = resolve(s, b);
    if (!others) return failed_because(others.error());
    for (const auto x : *ones)
      for (const auto y : *others)
        if (x != y) act(s, x, y);
    return {};
  };
}

action read_deafen(line_parser& w) {
  w.needs(ability::cut_links);
  return with_each_pair(w, "to", [](drill_run& s, std::size_t deaf, std::size_t unheard) {
    s.disturb(deaf, fmt::format("deaf to node {}", unheard), fault_kind::cut);
    s.disturb(unheard, fmt::format("not heard by node {}", deaf), fault_kind::cut);
    s.cluster().cut_one_way(unheard, deaf);
  });
}

action read_bridge(line_parser& w) {
  w.needs(ability::cut_links);
  auto middle = w.node();
  w.expect("between");
  auto nodes = w.nodes();
  w.expect("and");
  w.expect("others");
  return [middle, nodes](drill_run& s) -> outcome {
    const auto m = resolve(s, middle);
    if (!m) return failed_because(m.error());
    const auto side = resolve(s, nodes);
    if (!side) return failed_because(side.error());
    for (std::size_t n = 0; n < s.cluster().size(); ++n)
      s.disturb(n, "in a cluster with a bridge", fault_kind::cut);
    s.cluster().bridge(*m, *side);
    return {};
  };
}

action read_cut(line_parser& w) {
  w.needs(ability::cut_links);
  return with_each_pair(w, "from", [](drill_run& s, std::size_t x, std::size_t y) {
    s.disturb(x, fmt::format("cut from node {}", y), fault_kind::cut);
    s.disturb(y, fmt::format("cut from node {}", x), fault_kind::cut);
    s.cluster().cut(x, y);
  });
}

/// So bad that the others may take a node for lost.
bool unbearable(const link_quality& q) {
  return q.delay >= 500ms || q.loss >= 0.3 ||
         (q.bytes_per_second > 0 && q.bytes_per_second < 20'000);
}

/// The way between two nodes, in both directions.
action change_paths(line_parser& w, std::vector<node_ref> a, std::vector<node_ref> b,
                    link_quality q) {
  w.needs(ability::bad_links);
  return [=](drill_run& s) -> outcome {
    const auto here = resolve(s, a), there = resolve(s, b);
    if (!here || !there) return failed_because(here ? there.error() : here.error());
    for (const auto x : *here)
      for (const auto y : *there) {
        if (x == y) continue;
        if (unbearable(q)) {
          s.disturb(x, fmt::format("behind a bad link to node {}", y), fault_kind::cut);
          s.disturb(y, fmt::format("behind a bad link to node {}", x), fault_kind::cut);
        }
        s.set_link(x, y, q);
      }
    return {};
  };
}

struct ends {
  std::vector<node_ref> a, b;
};
ends read_ends(line_parser& w) {
  ends e;
  e.a = w.nodes();
  w.expect("to");
  e.b = w.nodes();
  return e;
}

action read_delay(line_parser& w) {
  auto e = read_ends(w);
  w.expect("by");
  const auto d = w.time();
  return change_paths(w, e.a, e.b, {.delay = d});
}

action read_lose(line_parser& w) {
  auto e = read_ends(w);
  w.expect("packets");
  const auto part = w.percent();
  return change_paths(w, e.a, e.b, {.loss = part});
}

action read_slow(line_parser& w) {
  auto e = read_ends(w);
  w.expect("at");
  const auto rate = w.size();
  return change_paths(w, e.a, e.b, {.bytes_per_second = rate});
}

/// No node is harmed by it: nothing may be lost.
action read_reset(line_parser& w) {
  w.needs(ability::stray_streams);
  return with_each_pair(
      w, "from", [](drill_run& s, std::size_t x, std::size_t y) { s.cluster().reset_links(x, y); });
}

action read_knock(line_parser& w) {
  w.needs(ability::stray_streams);
  return with_each_pair(
      w, "as", [](drill_run& s, std::size_t at, std::size_t as) { s.cluster().knock(as, at); });
}

action read_heal(line_parser&) {
  return [](drill_run& s) -> outcome {
    s.heal();
    return {};
  };
}

}  // namespace

std::vector<verb> network_verbs() {
  return {
      {.name = "isolate",
       .group = "Network",
       .arguments = "NODES",
       .summary = "cut each of these nodes off from all others",
       .example = "isolate 2",
       .read = read_isolate,
       .fault = {.ends = fault_end::heal},
       .uses = {"isolate {node}"}},
      {.name = "split",
       .group = "Network",
       .arguments = "NODES from others",
       .summary = "cut the cluster into two halves",
       .example = "split 0,1 from others",
       .read = read_split,
       .fault = {.ends = fault_end::heal},
       .uses = {"split {nodes} from others"}},
      {.name = "cut",
       .group = "Network",
       .arguments = "NODES from NODES",
       .summary = "cut links; both sides still hear the rest",
       .example = "cut 0 from 1",
       .read = read_cut,
       .fault = {.ends = fault_end::heal},
       .uses = {"cut {node} from {node}", "cut {node} from {nodes}"}},
      {.name = "deafen",
       .group = "Network",
       .arguments = "NODES to NODES",
       .summary = "a one-way partition: the first hear nothing from the second",
       .example = "deafen 2 to 0,1",
       .read = read_deafen,
       .fault = {.ends = fault_end::heal},
       .uses = {"deafen {node} to {nodes}"}},
      {.name = "bridge",
       .group = "Network",
       .arguments = "NODE between NODES and others",
       .summary = "two halves and one node that hears both",
       .example = "bridge 1 between 0 and others",
       .read = read_bridge,
       .fault = {.ends = fault_end::heal},
       .uses = {"bridge {number} between {number} and others"}},
      {.name = "reset",
       .group = "Network",
       .arguments = "NODES from NODES",
       .summary = "end the connections between them, once; the network is whole",
       .example = "reset 0 from 1",
       .read = read_reset,
       .fault = {.ends = fault_end::at_once},
       .uses = {"reset {node} from {node}", "reset {node} from {nodes}"}},
      {.name = "knock",
       .group = "Network",
       .arguments = "NODES as NODES",
       .summary =
           "one more connection to the first, from the addresses of the second, without a byte",
       .example = "knock 0 as 1",
       .read = read_knock,
       .fault = {.ends = fault_end::at_once},
       .uses = {"knock {node} as {node}"}},
      {.name = "heal",
       .group = "Network",
       .arguments = "",
       .summary = "undo all of these, and all delays",
       .example = "heal",
       .read = read_heal,
       .fault = {.ends = fault_end::ends_others},
       .uses = {"heal"}},
      {.name = "delay",
       .group = "Network",
       .arguments = "NODES to NODES by DURATION",
       .summary = "make every packet between them late",
       .example = "delay 0 to 1,2 by 50ms",
       .read = read_delay,
       .fault = {.ends = fault_end::heal},
       .uses = {"delay {node} to {nodes} by {time}", "delay {node} to all by {time}"}},
      {.name = "lose",
       .group = "Network",
       .arguments = "NODES to NODES packets PERCENT",
       .summary = "lose packets, which TCP sends again after 200 ms",
       .example = "lose 0 to all packets 5%",
       .read = read_lose,
       .fault = {.ends = fault_end::heal},
       .uses = {"lose {node} to all packets {1-60}%", "lose {node} to {node} packets {1-60}%"}},
      {.name = "slow",
       .group = "Network",
       .arguments = "NODES to NODES at SIZE",
       .summary = "let so many bytes through in a second",
       .example = "slow 0 to all at 100kB",
       .read = read_slow,
       .fault = {.ends = fault_end::heal},
       .uses = {"slow {node} to all at {1-500}kB"}},
  };
}

}  // namespace floe::cli::drill
