#include "cli/drill/run/log_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/node_flags_text.hpp"
#include "protocol/recovery_mode.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/rules/lineage.hpp"

namespace floe::cli::drill {
namespace {

/// A request is sent again after seconds, at a thaw, or when a node has connected: so often within a second it is none
/// of these.
constexpr unsigned spinning = 50;

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
  const auto event = parse_event(text);
  if (!event) return;
  switch (event->id) {
    case event_id::freeze_state:
    case event_id::detach: return frozen(at, node, *event);
    case event_id::recovery_mode:
      if (const auto e = as<event::recovery_mode>(*event))
        active_[node] = e->to == name(recovery_mode::active);
      return;
    case event_id::own_flags: return flags(at, node, *event);
    case event_id::node_left:
      if (const auto e = as<event::node_left>(*event)) left_(node, e->handed_over);
      return;
    case event_id::migration_resent: return resent(at, node, *event);
    case event_id::vnn_map: return map_changed(at, node, *event);
    case event_id::node_up:
      if (const auto e = as<event::node_up>(*event))
        seen_.links.push_back({node, at, number(e->pnn), true});
      return;
    case event_id::node_down:
      if (const auto e = as<event::node_down>(*event))
        seen_.links.push_back({node, at, number(e->pnn), false});
      return;
    case event_id::recovery_pull: return pull(at, *event);
    case event_id::generation: return commit(at, node, *event);
    case event_id::content_replaced: seen_.replacements.push_back({node, event->db, at}); return;
    case event_id::contents_differ:
      seen_.differences.push_back(fmt::format("{} at {}", text, at_text(at)));
      return;
    case event_id::database_recovered:
      if (const auto e = as<event::database_recovered>(*event)) {
        seen_.records_kept += e->kept;
        seen_.records_lost += e->lost;
      }
      return;
    case event_id::recovery_started: seen_.recovery_runs.push_back(at); return;
    case event_id::banned:
      seen_.bans.push_back({node, at, std::string(text), bans_allowed_(node)});
      return;
    default: return;  // no check is about the others
  }
}

void log_reader::flags(time_us at, std::size_t node, const event_line& line) {
  const auto e = as<event::own_flags>(line);
  if (!e) return;
  if (node_flags_in(e->to) & (node_flag::stopped | node_flag::banned))
    out_since_.try_emplace(node, at);
  else
    back_in(at, node);
}

void log_reader::map_changed(time_us at, std::size_t node, const event_line& line) {
  const auto e = as<event::vnn_map>(line);
  if (!e) return;
  const auto now = number(e->gen);
  const auto before = generation_.find(node);
  const bool in_recovery = active_.try_emplace(node, true).first->second;  // nodes start with it
  if (before != generation_.end() && before->second != now)
    seen_.generations.push_back({node, at, before->second, now, in_recovery});
  generation_[node] = now;
  const pnn self{static_cast<std::uint32_t>(node)};
  seen_.maps.push_back({.node = node,
                        .at = at,
                        .generation = now,
                        .in = std::ranges::find(e->map, self) != e->map.end() ||
                              std::ranges::find(e->beside, self) != e->beside.end()});
}

/// One of that name which is attached after it was detached is another one.
void log_reader::frozen(time_us at, std::size_t node, const event_line& line) {
  const auto e = as<event::freeze_state>(line);
  const bool detached = line.id == event_id::detach;
  if (!e && !detached) return;
  const auto open = closed_.find({node, line.db});
  const bool over = detached || e->to == name(freeze_state::thawed);
  if (!over && open == closed_.end()) closed_[{node, line.db}] = at;
  if (over && open != closed_.end()) {
    seen_.frozen.push_back({node, line.db, open->second, at});
    closed_.erase(open);
  }
}

void log_reader::resent(time_us at, std::size_t node, const event_line& line) {
  const auto e = as<event::migration_resent>(line);
  if (!e) return;
  auto& r = resent_[{node, line.db, std::string(e->key)}];
  constexpr time_us second = 1'000'000;
  if (at - r.since > second) r = {at, 0};
  if (++r.times == spinning)
    seen_.spins.push_back(
        fmt::format("node {} asked for a record of {} (key {}) {} times within {} ms, from {}",
                    node, line.db, e->key, r.times, (at - r.since) / 1000, at_text(r.since)));
}

/// The leader asks for the copies of these nodes.
void log_reader::pull(time_us at, const event_line& line) {
  const auto e = as<event::recovery_pull>(line);
  if (!e) return;
  database_recovery r{.db = line.db, .at = at};
  r.generation = number(e->gen);
  for (const pnn n : e->from) r.from.insert(number(n));
  // logs of processes are read one after the other: another node's may have told of the commit already
  const auto told = std::ranges::find_if(seen_.recoveries, [&](const database_recovery& other) {
    return other.unchanged && other.db == r.db && other.generation == r.generation &&
           other.at >= at;
  });
  if (told == seen_.recoveries.end()) return seen_.recoveries.push_back(std::move(r));
  r.committed = std::move(told->committed);
  *told = std::move(r);
}

/// The node has committed what was put together. Where all copies of a database that is written by transactions were equal
/// nobody has asked for any, but who has it from then on is known all the same.
void log_reader::commit(time_us at, std::size_t node, const event_line& line) {
  const auto e = as<event::generation>(line);
  if (!e) return;
  for (auto r = seen_.recoveries.rbegin(); r != seen_.recoveries.rend(); ++r)
    if (r->db == line.db && r->generation == number(e->to)) {
      r->committed.emplace(node, at);
      if (r->unchanged) r->from.insert(node);
      return;
    }
  if (is_replaced(e->to)) return;  // by a tool: what was there before is no part of it
  database_recovery r{.db = line.db, .at = at, .unchanged = true};
  r.generation = number(e->to);
  r.from.insert(node);
  r.committed.emplace(node, at);
  seen_.recoveries.push_back(std::move(r));
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
