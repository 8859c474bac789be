#include "actors/node/report/health.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/constants.hpp"

namespace floe {
namespace {

/// Longer than a database is frozen in a recovery that nobody notices.
constexpr std::int64_t long_freeze_ms = 5000;

health_check run_state(const status_snapshot& s) {
  return {"runstate", s.view->run == runstate::running,
          std::string(runstate_text(static_cast<std::uint64_t>(s.view->run)))};
}

health_check mode(const status_snapshot& s) {
  const bool normal = s.view->mode == recovery_mode::normal;
  return {"recovery-mode", normal,
          fmt::format("{} for {:.1f} s", normal ? "NORMAL" : "ACTIVE",
                      static_cast<double>(s.mode_age_ms) / 1000)};
}

health_check leader(const status_snapshot& s) {
  if (s.view->leader == pnn::unknown) return {"leader", false, "nobody is known to lead"};
  return {"leader", true, fmt::format("node {}", number(s.view->leader))};
}

health_check own_flags(const status_snapshot& s) {
  auto text = s.view->own_flags() == 0 ? std::string("none")
                                       : std::string(node_flags_text(s.view->own_flags()));
  if (s.ban) text += fmt::format(": {}", s.ban->why);
  return {"flags", s.view->own_flags() == 0, std::move(text)};
}

/// Followers are well as long as somebody leads: only a lock that cannot be asked for is a fault.
health_check cluster_lock(const status_snapshot& s) {
  if (s.lock.setting.empty()) return {"cluster-lock", true, "none is configured"};
  const bool good = s.lock.trouble.empty();
  return {"cluster-lock", good,
          fmt::format("{}{}{}", s.lock.state, s.lock.detail.empty() ? "" : ": ", s.lock.detail)};
}

health_check of_databases(const std::vector<database_report>& databases) {
  std::size_t bad = 0;
  std::string first;
  for (const auto& d : databases) {
    const auto trouble = trouble_of(d);
    if (trouble.empty()) continue;
    if (bad++ == 0) first = fmt::format("{}: {}", d.name, trouble);
  }
  if (bad == 0) return {"databases", true, fmt::format("{} attached", databases.size())};
  return {"databases", false, bad == 1 ? first : fmt::format("{} ({} more)", first, bad - 1)};
}

}  // namespace

std::string trouble_of(const database_report& d) {
  if (!d.damage.empty()) return "not whole: " + d.damage;
  if (!d.storage_trouble.empty()) return "the storage refuses: " + d.storage_trouble;
  if (d.state != freeze_state::thawed && d.state_age_ms >= long_freeze_ms)
    return fmt::format("{} for {:.1f} s", name(d.state),
                       static_cast<double>(d.state_age_ms) / 1000);
  return {};
}

std::vector<health_check> health_of(const status_snapshot& s,
                                    const std::vector<database_report>& databases) {
  return {run_state(s), mode(s), leader(s), own_flags(s), cluster_lock(s), of_databases(databases)};
}

bool all_good(const std::vector<health_check>& all) {
  return std::ranges::all_of(all, &health_check::good);
}

}  // namespace floe
