#include "actors/node/membership/nodes_file.hpp"

#include <fmt/format.h>

#include "actors/node/membership/nodes_command.hpp"
#include "actors/plain_file.hpp"
#include "protocol/types/sock_addr.hpp"

namespace floe {
namespace {

constexpr std::size_t longest_line = 256;

std::expected<configured_node, std::string> parse_line(std::string_view text, std::uint16_t port) {
  if (text.front() == '#') return configured_node{.where = {"0.0.0.0", port}, .deleted = true};
  if (text.size() > longest_line)
    return std::unexpected(fmt::format("{} characters are no address", text.size()));
  const auto address = parse_address(text, port);
  if (!address) return std::unexpected(fmt::format("not an address: {}", text));
  return configured_node{.where = {address_text(*address), port}, .deleted = false};
}

}  // namespace

std::expected<std::vector<configured_node>, std::string> parse_nodes(std::string_view text,
                                                                     std::uint16_t port) {
  std::vector<configured_node> nodes;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    const auto content = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (content.empty()) continue;
    auto node = parse_line(content, port);
    if (!node) return std::unexpected(fmt::format("line {}: {}", line, node.error()));
    for (const auto& other : nodes)
      if (!node->deleted && !other.deleted && other.where.ip == node->where.ip)
        return std::unexpected(fmt::format("line {}: {} is there twice", line, node->where.ip));
    if (nodes.size() == most_nodes)
      return std::unexpected(fmt::format("line {}: more than {} nodes", line, most_nodes));
    nodes.push_back(std::move(*node));
  }
  if (nodes.empty()) return std::unexpected("no addresses in it");
  return nodes;
}

std::expected<std::vector<configured_node>, std::string> read_nodes_file(const std::string& path,
                                                                         std::uint16_t port) {
  if (is_nodes_command(path)) {
    const auto printed = output_of_nodes_command(path);
    if (!printed) return std::unexpected(fmt::format("{}: {}", path, printed.error()));
    auto nodes = parse_nodes(*printed, port);
    if (!nodes) return std::unexpected(fmt::format("what {} prints: {}", path, nodes.error()));
    return nodes;
  }
  const auto text = read_plain_file(path);
  if (!text) return std::unexpected(fmt::format("{}: {}", path, text.error()));
  if (!*text) return std::unexpected(fmt::format("{}: there is no such file", path));
  auto nodes = parse_nodes(**text, port);
  if (!nodes) return std::unexpected(fmt::format("{}: {}", path, nodes.error()));
  return nodes;
}

}  // namespace floe
