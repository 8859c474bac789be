#include "actors/node/report/health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/constants.hpp"

namespace floe {
namespace {

using texts = const std::vector<const trouble*>&;

std::string with_age(const trouble& t) {
  if (t.age_ms < 0) return t.text;
  return fmt::format("{}, for {:.1f} s", t.text, static_cast<double>(t.age_ms) / 1000);
}

std::string first_of(texts broken) {
  const auto first = with_age(*broken.front());
  return broken.size() == 1 ? first : fmt::format("{} ({} more)", first, broken.size() - 1);
}

/// What is so, in words, when nothing is wrong with it.
std::string so_now(health_part part, const status_snapshot& s,
                   const std::vector<database_report>& databases) {
  switch (part) {
    case health_part::runstate:
      return std::string(runstate_text(static_cast<std::uint64_t>(s.view->run)));
    case health_part::recovery_mode:
      return fmt::format("{} for {:.1f} s",
                         s.view->mode == recovery_mode::normal ? "NORMAL" : "ACTIVE",
                         static_cast<double>(s.mode_age_ms) / 1000);
    case health_part::leader: return fmt::format("node {}", number(s.view->leader));
    case health_part::flags: return "none";
    case health_part::cluster_lock:
      if (s.lock.setting.empty()) return "none is configured";
      return fmt::format("{}{}{}", name(s.lock.state), s.lock.detail.empty() ? "" : ": ",
                         s.lock.detail);
    case health_part::databases: return fmt::format("{} attached", databases.size());
    case health_part::other: return "nothing is wrong";
  }
  std::unreachable();
}

std::string_view name(health_part part) {
  switch (part) {
    case health_part::runstate: return "runstate";
    case health_part::recovery_mode: return "recovery-mode";
    case health_part::leader: return "leader";
    case health_part::flags: return "flags";
    case health_part::cluster_lock: return "cluster-lock";
    case health_part::databases: return "databases";
    case health_part::other: return "other";
  }
  std::unreachable();
}

}  // namespace

std::vector<health_check> health_of(const status_snapshot& s,
                                    const std::vector<database_report>& databases,
                                    const std::vector<trouble>& troubles) {
  std::vector<health_check> all;
  for (auto part :
       {health_part::runstate, health_part::recovery_mode, health_part::leader, health_part::flags,
        health_part::cluster_lock, health_part::databases, health_part::other}) {
    std::vector<const trouble*> broken;
    for (const auto& t : troubles)
      if (t.part == part && t.ill && t.node.value_or(s.view->self) == s.view->self)
        broken.push_back(&t);
    all.push_back({std::string(name(part)), broken.empty(),
                   broken.empty() ? so_now(part, s, databases) : first_of(broken)});
  }
  return all;
}

bool all_good(const std::vector<health_check>& all) {
  return std::ranges::all_of(all, &health_check::good);
}

}  // namespace floe
