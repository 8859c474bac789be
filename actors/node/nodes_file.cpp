#include "actors/node/nodes_file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "protocol/types/sock_addr.hpp"

namespace floe {
namespace {

std::string_view trimmed(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::expected<std::vector<configured_node>, std::string> parse_nodes(std::string_view text, std::uint16_t port) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(trimmed(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::vector<configured_node> nodes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) return std::unexpected(fmt::format("line {}: empty; comment a deleted node out with '#'", i + 1));
    if (lines[i].front() == '#') {
      nodes.push_back({.where = {"0.0.0.0", port}, .deleted = true});
      continue;
    }
    if (!parse_address(lines[i])) return std::unexpected(fmt::format("line {}: not an address: {}", i + 1, lines[i]));
    for (const auto& n : nodes)
      if (!n.deleted && n.where.ip == lines[i]) return std::unexpected(fmt::format("line {}: {} is there twice", i + 1, lines[i]));
    nodes.push_back({.where = {std::string(lines[i]), port}, .deleted = false});
  }
  if (nodes.empty()) return std::unexpected("no nodes");
  return nodes;
}

std::expected<std::vector<configured_node>, std::string> read_nodes_file(const std::string& path, std::uint16_t port) {
  std::ifstream in(path);
  if (!in) return std::unexpected(fmt::format("cannot read {}", path));
  std::ostringstream text;
  text << in.rdbuf();
  auto nodes = parse_nodes(text.str(), port);
  if (!nodes) return std::unexpected(fmt::format("{}: {}", path, nodes.error()));
  return nodes;
}

}  // namespace floe
