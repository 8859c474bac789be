#include "cli/versions.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "protocol/wire/visible.hpp"

namespace floe::cli {

std::map<pnn, std::string> versions_in(const node_reports& reports) {
  std::map<pnn, std::string> all;
  for (const auto& [node, text] : reports) {
    const auto report = nlohmann::json::parse(text, nullptr, false);
    if (!report.is_object()) continue;
    // the first release does not tell
    const auto version = report.value("version", nlohmann::json());
    all[node] = "floe " + (version.is_string() ? wire::visible(version.get<std::string>())
                                               : std::string("0.1.0 or older"));
  }
  return all;
}

std::string versions_text(const std::map<pnn, std::string>& all, std::size_t nodes_in_all) {
  std::map<std::string, std::string> nodes_of;
  for (const auto& [node, version] : all)
    nodes_of[version] +=
        (nodes_of[version].empty() ? "" : ", ") + std::to_string(number(node));
  if (nodes_of.empty()) return {};
  if (nodes_of.size() == 1 && all.size() == nodes_in_all) return "all run " + nodes_of.begin()->first;
  std::string text;
  for (const auto& [version, nodes] : nodes_of)
    text += fmt::format("{}node {}: {}", text.empty() ? "" : "; ", nodes, version);
  return text;
}

}  // namespace floe::cli
