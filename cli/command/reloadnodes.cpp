/// floe reloadnodes: nodes are added and deleted while the cluster runs, as their nodes files say.
#include <fmt/format.h>

#include <algorithm>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"
#include "cli/waiting_line.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"

namespace floe::cli {
namespace {

struct file_line {
  std::string address;
  bool deleted = false;
  bool operator==(const file_line&) const = default;
};
using lines = std::vector<file_line>;

std::string text_of(const file_line& l) { return l.deleted ? "deleted" : l.address; }

std::string text_of(const lines& l, std::size_t i) {
  return i < l.size() ? text_of(l[i]) : "nothing";
}

lines lines_of(const node_map& map) {
  lines all;
  for (const auto& n : map.nodes)
    all.push_back({address_text(n.addr), (n.flags & node_flag::deleted) != 0});
  return all;
}

/// "node 3: 10.0.0.4 here, nothing on node 2"
std::string first_difference(const lines& here, const lines& there, pnn node) {
  for (std::size_t i = 0; i < std::max(here.size(), there.size()); ++i)
    if (text_of(here, i) != text_of(there, i))
      return fmt::format("node {}: {} here, {} on node {}", i, text_of(here, i), text_of(there, i),
                         number(node));
  return {};
}

struct change {
  std::vector<std::uint32_t> added, deleted;
};

change between(const lines& running, const lines& file) {
  change c;
  for (std::size_t i = 0; i < std::max(running.size(), file.size()); ++i) {
    const bool was = i < running.size() && !running[i].deleted,
               is = i < file.size() && !file[i].deleted;
    if (was && (!is || running[i].address != file[i].address))
      c.deleted.push_back(static_cast<std::uint32_t>(i));
    if (is && (!was || running[i].address != file[i].address))
      c.added.push_back(static_cast<std::uint32_t>(i));
  }
  return c;
}

std::string list(const std::vector<std::uint32_t>& pnns) {
  std::string s;
  for (const auto p : pnns) s += (s.empty() ? "" : ", ") + std::to_string(p);
  return s.empty() ? "none" : s;
}

int tell(const context& c, const change& made, std::size_t told) {
  if (c.options.json) {
    auto j = open_json("reloadnodes");
    j.begin_list("added");
    for (const auto p : made.added) j.number({}, p);
    j.end();
    j.begin_list("deleted");
    for (const auto p : made.deleted) j.number({}, p);
    j.end();
    j.number("nodes_told", told);
    print_json(std::move(j));
    return done;
  }
  if (made.added.empty() && made.deleted.empty())
    print_text("the nodes file is what runs: nothing to do\n");
  else
    print_text(fmt::format("added: {}; deleted: {}; {} nodes have read the file\n",
                           list(made.added), list(made.deleted), told));
  return done;
}

int run_reloadnodes(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return c.fail("reloadnodes", map.error());
  std::vector<pnn> connected;
  for (const auto& n : map->value.nodes)
    if (!(n.flags & (node_flag::disconnected | node_flag::deleted))) connected.push_back(n.pnn);

  const auto own = (*node)->control<control::get_nodes_file>(pnn::current, {}, c.patience());
  if (!own) return c.fail("reloadnodes", own.error());
  const auto file = lines_of(own->value);
  bool agreed = true;
  for (const auto& one :
       (*node)->control_many(connected, control::get_nodes_file, {}, c.patience())) {
    const auto theirs = decode_answer<control::get_nodes_file>(one.reply, one.node);
    if (!theirs) return c.fail("reloadnodes", theirs.error());
    const auto difference = first_difference(file, lines_of(theirs->value), one.node);
    if (difference.empty()) continue;
    agreed = false;
    print_error("reloadnodes: the nodes files differ: " + difference);
  }
  if (!agreed) {
    print_error("nothing was changed; make the files equal and try again");
    return failed;
  }
  const auto made = between(lines_of(map->value), file);
  if (made.added.empty() && made.deleted.empty()) return tell(c, made, 0);
  for (const pnn p : connected)
    if (std::ranges::find(made.deleted, number(p)) != made.deleted.end())
      return c.fail(fmt::format(
          "reloadnodes: node {} is to be deleted and still runs; `floe shutdown -n {}` first",
          number(p), number(p)));
  const waiting_line shown(**node, "reloadnodes");
  const auto answers =
      (*node)->control_many(connected, control::reload_nodes_file, {}, c.long_patience());
  if (const auto code = report_failures(c, "reloadnodes", answers); code != done) return code;
  return tell(c, made, connected.size());
}

}  // namespace

command reloadnodes_command() {
  return {.name = "reloadnodes",
          .group = "Cluster",
          .summary = "all nodes read their nodes files again: nodes are added and deleted",
          .example = "floe --base DIR reloadnodes   # after the same change in every node's file",
          .run = run_reloadnodes};
}

}  // namespace floe::cli
