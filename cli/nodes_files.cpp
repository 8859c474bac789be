#include "cli/nodes_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

std::string line_text(const node_map& list, std::size_t i) {
  if (i >= list.nodes.size()) return "missing";
  const auto& n = list.nodes[i];
  return n.flags & node_flag::deleted ? std::string("deleted") : std::string(address_text(n.addr));
}

/// "node 1 is 127.0.0.9 there and 127.0.0.2 in the cluster"; empty: they are the same.
std::string first_difference(const node_map& file, const node_map& running) {
  for (std::size_t i = 0; i < std::max(file.nodes.size(), running.nodes.size()); ++i)
    if (const auto there = line_text(file, i), here = line_text(running, i); there != here)
      return fmt::format("node {} is {} there and {} in the cluster", i, there, here);
  return {};
}

std::string whole_list(const node_map& list) {
  std::string all;
  for (std::size_t i = 0; i < list.nodes.size(); ++i) all += line_text(list, i) + "\n";
  return all;
}

}  // namespace

std::vector<known_trouble> nodes_file_troubles(blocking_client& c, const node_map& running,
                                               const std::vector<pnn>& nodes, pnn told_by,
                                               duration patience) {
  std::vector<known_trouble> all;
  std::vector<std::string> lists;
  for (const auto& one : c.control_many(nodes, control::get_nodes_file, {}, patience)) {
    const auto file = decode_answer<control::get_nodes_file>(one.reply, one.node);
    if (file) lists.push_back(whole_list(file->value));
    const auto difference = file ? first_difference(file->value, running) : std::string();
    if (difference.empty()) continue;
    const auto says = "has another list than is in use: " + difference;
    all.push_back({.kind = "nodes-file",
                   .text = fmt::format("the nodes file of node {} {}", number(one.node), says),
                   .says = says,
                   .next = {},
                   .db = {},
                   .node = one.node,
                   .age_ms = {},
                   .ill = false,
                   .told_by = told_by});
  }
  const bool equal = std::ranges::all_of(lists, [&](const auto& l) { return l == lists.front(); });
  for (auto& t : all)
    t.next = equal ? "the files of all nodes that answer are equal: floe reloadnodes"
                   : "make the files of all nodes equal, then floe reloadnodes";
  return all;
}

}  // namespace floe::cli
