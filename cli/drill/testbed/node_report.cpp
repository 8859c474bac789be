#include "cli/drill/testbed/node_report.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "protocol/constants.hpp"

namespace floe::cli::drill {

std::uint32_t node_report::flags_of(std::size_t n) const {
  return n < flags.size() ? flags[n] : node_flag::disconnected;
}

const database_report* node_report::database(std::string_view name) const {
  const auto i = std::ranges::find(databases, name, &database_report::name);
  return i == databases.end() ? nullptr : &*i;
}

namespace {

std::optional<node_report> read(std::string_view text) {
  const auto j = nlohmann::json::parse(text, nullptr, false);
  if (!j.is_object() || !j.contains("recovery_mode") || !j.contains("databases"))
    return std::nullopt;
  node_report l{.fresh = true};
  l.normal_mode = j["recovery_mode"] == "NORMAL";
  l.running = j.value("runstate", "") == "RUNNING";
  l.generation = j.value("generation", 0U);
  if (j["leader"].is_number()) l.leader = j["leader"].get<std::size_t>();
  for (const auto& n : j["nodes"]) l.flags.push_back(n["flags"].get<std::uint32_t>());
  for (const auto& d : j["databases"])
    l.databases.push_back({.name = d.value("name", ""),
                           .state = d.value("state", ""),
                           .generation = d.value("generation", 0U),
                           .locks = d.value("locks_held", std::uint64_t{0}),
                           .waiting = d.value("locks_waiting", std::uint64_t{0}),
                           .records = d.value("records", std::uint64_t{0}),
                           .migrations_pending = d.value("migrations_pending", std::uint64_t{0}),
                           .migrations_resent = d.value("migrations_resent", std::uint64_t{0})});
  if (const auto r = j.find("recovery"); r != j.end() && r->is_object()) {
    l.recovering = true;
    l.held = r->value("held", "");
    if (r->contains("databases"))
      for (const auto& d : (*r)["databases"])
        if (l.held.empty() && d.value("held", "") != "") l.held = d.value("phase", "");
  }
  return l;
}

/// What was read last. Nodes are asked again and again until something has changed, and most say what they have said before.
class known_reports {
 public:
  std::optional<node_report> of(std::string_view text) {
    if (const auto known = known_.find(text); known != known_.end()) return known->second;
    auto report = read(text);
    if (known_.size() == most) known_.clear();
    known_.emplace(text, report);
    return report;
  }

 private:
  static constexpr std::size_t most = 32;
  std::map<std::string, std::optional<node_report>, std::less<>> known_;
};

}  // namespace

std::optional<node_report> read_node_report(std::string_view text) {
  thread_local known_reports known;
  return known.of(text);
}

}  // namespace floe::cli::drill
