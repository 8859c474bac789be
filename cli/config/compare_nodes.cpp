#include "cli/config/compare_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "actors/version.hpp"
#include "protocol/constants.hpp"
#include "protocol/tunables.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe::cli {
namespace {

std::string node_name(pnn p) { return fmt::format("node {}", number(p)); }

void compare_tunables(blocking_client& c, pnn other, const tunable_list& ours, duration patience,
                      differences& f) {
  const auto theirs = c.control<control::get_all_tunables>(other, {}, patience);
  if (!theirs)
    return f.errors.push_back(
        fmt::format("{}: its tunables: {}", node_name(other), theirs.error().describe()));
  for (const auto& t : all_tunables())
    if (const auto there = theirs->value[t.which]; !t.own && ours[t.which] != there)
      f.warnings.push_back(fmt::format("{}: {} is {} there and {} here", node_name(other), t.name,
                                       there, ours[t.which]));
}

void compare_lock(blocking_client& c, pnn other, const std::string& ours, duration patience,
                  differences& f) {
  const auto theirs = c.control<control::get_reclock_file>(other, {}, patience);
  if (!theirs)
    return f.errors.push_back(
        fmt::format("{}: its cluster lock: {}", node_name(other), theirs.error().describe()));
  const auto show = [](std::string_view s) {
    return s.empty() ? std::string("not set") : "`" + std::string(s) + "`";
  };
  if (theirs->value.value != ours)
    f.errors.push_back(
        fmt::format("{}: the cluster lock is {} there and {} here; a lock that is not the same for "
                    "all excludes nobody",
                    node_name(other), show(theirs->value.value), show(ours)));
}

/// What only floe has. A ctdbd does not know the questions.
void compare_own(blocking_client& c, pnn other, const node_config& ours, duration patience,
                 differences& f) {
  const auto theirs = c.control<control::get_node_status>(other, {}, patience);
  if (!theirs) return;
  const auto report = nlohmann::json::parse(theirs->value.value, nullptr, false);
  if (!report.is_object()) return;
  const auto rule = report.value("quorum", "");
  if (!rule.empty() && rule != name(ours.quorum))
    f.errors.push_back(fmt::format("{}: quorum is {} there and {} here; two parts could go on",
                                   node_name(other), rule, name(ours.quorum)));
  const auto version = report.value("version", "");
  if (version != program_version)
    f.warnings.push_back(fmt::format(
        "{}: runs floe {} and this program is {}; floe cluster version says what they "
        "use together",
        node_name(other), version.empty() ? "0.1.0 or older" : version, program_version));
  for (const auto& t : all_tunables()) {
    if (!t.own) continue;
    // an older program does not have all of them
    const auto there = c.control<control::get_tunable>(other, {.name = t.name}, patience);
    if (!there && there.error().code != client_errc::refused) return;
    if (there && there->value != ours.tunables[t.which])
      f.warnings.push_back(fmt::format("{}: {} is {} there and {} here", node_name(other), t.name,
                                       there->value, ours.tunables[t.which]));
  }
}

void compare_nodes(blocking_client& c, pnn other, const std::vector<configured_node>& ours,
                   duration patience, differences& f) {
  const auto theirs = c.control<control::get_nodes_file>(other, {}, patience);
  if (!theirs)
    return f.errors.push_back(
        fmt::format("{}: its nodes file: {}", node_name(other), theirs.error().describe()));
  const auto& list = theirs->value.nodes;
  if (list.size() != ours.size())
    f.errors.push_back(fmt::format("{}: its nodes file has {} nodes, ours {}", node_name(other),
                                   list.size(), ours.size()));
  for (std::size_t i = 0; i < std::min(list.size(), ours.size()); ++i) {
    const bool deleted = list[i].flags & node_flag::deleted;
    const auto there = deleted ? std::string("deleted") : std::string(address_text(list[i].addr));
    const auto here = ours[i].deleted ? std::string("deleted") : ours[i].where.ip;
    if (there != here)
      f.errors.push_back(fmt::format("{}: node {} is {} in its nodes file and {} in ours",
                                     node_name(other), i, there, here));
  }
}

}  // namespace

void compare_with(blocking_client& c, pnn other, const node_setup& ours, duration patience,
                  differences& f) {
  compare_nodes(c, other, ours.config.nodes, patience, f);
  compare_lock(c, other, ours.config.cluster_lock, patience, f);
  compare_tunables(c, other, ours.config.tunables, patience, f);
  compare_own(c, other, ours.config, patience, f);
}

}  // namespace floe::cli
