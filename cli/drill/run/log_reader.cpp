#include "cli/drill/run/log_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/drill/language/line_parser.hpp"

namespace floe::cli::drill {
namespace {

/// A request is sent again after seconds, at a thaw, or when a node has connected: so often within a second it is none
/// of these.
constexpr unsigned spinning = 50;

/// "name=value" in a line, up to the next space.
std::string_view value_of(std::string_view line, std::string_view name) {
  const auto at = line.find(name);
  if (at == std::string_view::npos) return {};
  const auto rest = line.substr(at + name.size());
  return rest.substr(0, rest.find(' '));
}

constexpr std::size_t lines_kept = 50'000;

}  // namespace

bool log_reader::said(std::size_t node, std::string_view text, time_us since) const {
  const auto mine = lines_.find(node);
  return mine != lines_.end() && std::ranges::any_of(mine->second, [&](const logged& l) {
           return l.at >= since && l.text.find(text) != std::string::npos;
         });
}

void log_reader::line(time_us at, std::size_t node, std::string_view text) {
  auto& mine = lines_[node];
  mine.push_back({at, std::string(text)});
  if (mine.size() > lines_kept) mine.pop_front();
  if (text.starts_with("freeze-state ")) {
    const std::string db(value_of(text, " db="));
    const auto arrow = text.find("->");
    if (db.empty() || arrow == std::string_view::npos) return;
    const auto to = text.substr(arrow + 2, text.find(' ', arrow) - arrow - 2);
    const auto open = closed_.find({node, db});
    if (to != "thawed" && open == closed_.end()) closed_[{node, db}] = at;
    if (to == "thawed" && open != closed_.end()) {
      seen_.frozen.push_back({node, db, open->second, at});
      closed_.erase(open);
    }
  } else if (text.starts_with("recovery-mode ")) {
    active_[node] = text.find("->active") != std::string_view::npos;
  } else if (text.starts_with("own-flags ") && text.find("->") != std::string_view::npos) {
    const auto to = text.substr(text.find("->"));
    const bool out = to.find("STOPPED") != std::string_view::npos || to.find("BANNED") != std::string_view::npos;
    if (out) out_since_.try_emplace(node, at);
    if (!out) back_in(at, node);
  } else if (text.starts_with("migration-resent ")) {
    auto& r = resent_[{node, std::string(value_of(text, " db=")), std::string(value_of(text, " key="))}];
    constexpr time_us second = 1'000'000;
    if (at - r.since > second) r = {at, 0};
    if (++r.times == spinning)
      seen_.spins.push_back(fmt::format("node {} asked for a record of {} (key {}) {} times within {} ms, from {}", node,
                                        value_of(text, " db="), value_of(text, " key="), r.times, (at - r.since) / 1000,
                                        at_text(r.since)));
  } else if (text.starts_with("vnn-map ")) {
    const auto gen = parse_count(value_of(text, " gen="));
    if (!gen) return;
    const auto now = static_cast<std::uint32_t>(*gen);
    const auto before = generation_.find(node);
    const bool in_recovery = active_.try_emplace(node, true).first->second;  // nodes start with it
    if (before != generation_.end() && before->second != now)
      seen_.generations.push_back({node, at, before->second, now, in_recovery});
    generation_[node] = now;
  } else if (text.starts_with("recovery-pull ")) {
    pull(at, text);
  } else if (text.starts_with("contents-differ ")) {
    seen_.differences.push_back(fmt::format("{} at {}", text, at_text(at)));
  } else if (text.starts_with("generation ")) {
    commit(at, node, text);
  } else if (text.starts_with("recovery-started ")) {
    seen_.recovery_runs.push_back(at);
  } else if (text.starts_with("banned ") && (seen_.bans.empty() || seen_.bans.back().node != node || seen_.bans.back().at != at)) {
    seen_.bans.push_back({node, at, std::string(text), bans_allowed_(node)});
  }
}

/// "recovery-pull db=locking.tdb gen=7 from=0,2": the leader asks for the copies of these nodes.
void log_reader::pull(time_us at, std::string_view text) {
  database_recovery r{.db = std::string(value_of(text, " db=")), .at = at};
  r.generation = static_cast<std::uint32_t>(parse_count(value_of(text, " gen=")).value_or(0));
  auto list = value_of(text, " from=");
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    if (const auto n = parse_count(list.substr(0, end))) r.from.insert(static_cast<std::size_t>(*n));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  seen_.recoveries.push_back(std::move(r));
}

/// "generation db=locking.tdb 6->7": the node has committed what was put together.
void log_reader::commit(time_us at, std::size_t node, std::string_view text) {
  const auto db = value_of(text, " db=");
  const auto arrow = text.find("->");
  if (arrow == std::string_view::npos) return;
  const auto gen = parse_count(text.substr(arrow + 2, text.find(' ', arrow) - arrow - 2));
  if (!gen) return;
  for (auto r = seen_.recoveries.rbegin(); r != seen_.recoveries.rend(); ++r)
    if (r->db == db && r->generation == *gen) {
      r->committed.emplace(node, at);
      return;
    }
}

void log_reader::back_in(time_us at, std::size_t node) {
  const auto since = out_since_.find(node);
  if (since == out_since_.end()) return;
  seen_.inactive.push_back({node, "", since->second, at});
  out_since_.erase(since);
}

void log_reader::gone(time_us at, std::size_t node) {
  for (auto i = closed_.begin(); i != closed_.end();)
    if (i->first.first == node) {
      seen_.frozen.push_back({node, i->first.second, i->second, at});
      i = closed_.erase(i);
    } else
      ++i;
  back_in(at, node);
  active_.erase(node);
  generation_.erase(node);
}

}  // namespace floe::cli::drill
