#include "cli/drill/report/live_board.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/database/asked_node.hpp"
#include "actors/events.hpp"
#include "cli/drill/run/said.hpp"
#include "protocol/recovery_mode.hpp"
#include "protocol/rules/freeze.hpp"

namespace floe::cli::drill {
namespace {

constexpr std::size_t most_databases = 8, most_clients = 4;
/// What is over sooner nobody could read.
constexpr time_us worth_showing_us = 5'000;
constexpr time_us rate_over_us = 1'000'000;

style style_of(std::string_view state) {
  if (state == name(freeze_state::thawed)) return style::good;
  if (state == name(freeze_state::freezing)) return style::warn;
  return state == "–" ? style::dim : style::accent;
}

std::string since_text(time_us from, time_us now) {
  return age_text(static_cast<double>(now - from) / 1000);
}

void append(std::vector<std::string>& lines, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::string clipped(std::string_view line, std::size_t width) {
  std::string out;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {  // up to its letter
      const auto end = std::min(line.find('m', i), line.size() - 1);
      out += line.substr(i, end - i + 1);
      i = end;
      continue;
    }
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    shown += begins;
    if (shown <= width) out += line[i];
  }
  return out;
}

live_board::live_board(std::string drill, std::uint64_t seed, std::size_t nodes)
    : drill_(std::move(drill)), seed_(seed), nodes_(nodes) {}

void live_board::line(const trace_line& l) {
  if (const auto e = l.event()) return take(*e);
  if (l.who != "drill") return;
  faults_.line(l);
  if (const auto s = read_played(l)) {
    playing_ = fmt::format("{}: {}", s->line, s->text);
  } else if (const auto d = read_done(l); d && d->node < nodes_.size()) {
    auto& n = nodes_[d->node];
    if (d->what == said::killed || d->what == said::shut_down) {
      n = {.process = node_state::life::down, .leader = {}};
      for (auto& [name, db] : databases_) db.on.erase(d->node);
    }
    if (d->what == said::paused) n.process = node_state::life::paused;
    if (d->what == said::starts || d->what == said::goes_on) n.process = node_state::life::runs;
  } else if (l.text == said::faults_over) {
    playing_ = "(the end: all faults are undone, everybody comes back)";
  }
}

void live_board::take(const timed_event& t) {
  const auto n = number(t.node);
  if (n >= nodes_.size()) return;
  nodes_[n].speaks = true;
  const auto& db = t.line.db;
  const auto waiter = [n](const auto& e) { return fmt::format("{} {} {}", n, e.client, e.key); };
  if (const auto e = as<event::freeze_state>(t.line)) {
    databases_[db].on[n] = e->to;
  } else if (t.line.id == event_id::generation && !db.empty()) {
    databases_[db].on.try_emplace(n, name(freeze_state::thawed));
  } else if (const auto mode = as<event::recovery_mode>(t.line)) {
    nodes_[n].active = mode->to == name(recovery_mode::active);
  } else if (const auto known = as<event::leader>(t.line)) {
    nodes_[n].leader = known->to == pnn::unknown ? "none" : std::to_string(number(known->to));
  } else if (const auto step = as<event::recovery_phase>(t.line); step && !db.empty()) {
    databases_[db].phase = step->to == "done" || step->to == "failed" ? "" : step->to;
  } else if (const auto wait = as<event::lock_wait>(t.line)) {
    const auto asked = asked_node_in(wait->why);
    databases_[db].waits[waiter(*wait)] = asked && asked->what == asked_node::thing::record;
  } else if (const auto grant = as<event::lock_grant>(t.line)) {
    databases_[db].waits.erase(waiter(*grant));
  }
}

double live_board::rate(const history& past, time_us now) {
  samples_.push_back({now, past.ops.size()});
  while (samples_.size() > 2 && samples_[1].at <= now - rate_over_us)
    samples_.erase(samples_.begin());
  const auto& first = samples_.front();
  if (now <= first.at) return 0;
  return static_cast<double>(past.ops.size() - first.ops) * 1e6 /
         static_cast<double>(now - first.at);
}

std::vector<std::string> live_board::picture(const history& past, time_us now, std::size_t width,
                                             std::size_t height, bool colours) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "{} seed {}  {:.3f} s  {:.0f} operations/s  {}", paint(style::bold, drill_, colours), seed_,
      static_cast<double>(now) / 1e6, rate(past, now), paint(style::accent, playing_, colours)));
  std::string faults;
  for (const auto& f : faults_.open()) faults += (faults.empty() ? "" : "; ") + f;
  lines.push_back("faults: " +
                  (faults.empty() ? std::string("none") : paint(style::bad, faults, colours)));
  node_lines(lines, colours);
  database_lines(lines, past, colours);
  client_lines(lines, past, now);
  if (lines.size() > height) lines.resize(height);
  for (auto& l : lines) l = clipped(l, width);
  return lines;
}

std::pair<const char*, style> live_board::shown(const node_state& s) {
  switch (s.process) {
    case node_state::life::down: return {"down", style::bad};
    case node_state::life::paused: return {"paused", style::bad};
    case node_state::life::runs: break;
  }
  return s.active ? std::pair("recovering", style::warn) : std::pair("ok", style::good);
}

void live_board::node_lines(std::vector<std::string>& lines, bool colours) const {
  std::string text = "nodes: ";
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const auto& s = nodes_[n];
    const bool leads = s.leader == std::to_string(n);
    const auto [state, look] = shown(s);
    text += fmt::format("{}{} {}{}", n ? ", " : "", n, paint(look, state, colours),
                        leads ? " (leads)" : "");
  }
  lines.push_back(std::move(text));
}

void live_board::database_lines(std::vector<std::string>& lines, const history& past,
                                bool colours) const {
  std::map<std::string, std::size_t> held;
  for (const auto& [op, h] : past.holdings)
    if (h.to == never) ++held[past.ops[op].db];
  std::vector<std::string> titles;
  for (std::size_t n = 0; n < nodes_.size(); ++n) titles.push_back(fmt::format("NODE {}", n));
  std::vector<column> columns{{"DATABASE"}};
  for (const auto& t : titles) columns.push_back({t.c_str()});
  for (const char* t : {"HELD", "WAITING", "MIGRATING"}) columns.push_back({t, true});
  columns.push_back({"RECOVERY"});
  // those that something happens to come first
  std::vector<const std::pair<const std::string, database_state>*> order;
  for (const auto& d : databases_) order.push_back(&d);
  const auto quiet = [](const auto* d) {
    return d->second.phase.empty() && std::ranges::all_of(d->second.on, [](const auto& s) {
             return s.second == name(freeze_state::thawed);
           });
  };
  std::ranges::stable_sort(order, {}, quiet);
  table t(columns);
  for (std::size_t i = 0; i < std::min(most_databases, order.size()); ++i) {
    const auto& [name, d] = *order[i];
    std::vector<cell> row{name};
    for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
      const auto on = d.on.find(n);
      // a database that was never anything else is thawed, if its node tells such things
      const bool quiet_one = nodes_[n].process != node_state::life::down && nodes_[n].speaks;
      const std::string state = on != d.on.end() ? on->second
                                : quiet_one      ? std::string(floe::name(freeze_state::thawed))
                                                 : "–";
      row.emplace_back(state, style_of(state));
    }
    const auto h = held.find(name);
    row.emplace_back(std::to_string(h == held.end() ? 0 : h->second));
    row.emplace_back(std::to_string(d.waits.size()));
    row.emplace_back(
        std::to_string(std::ranges::count_if(d.waits, [](const auto& w) { return w.second; })));
    row.emplace_back(d.phase);
    t.row(std::move(row));
  }
  append(lines, t.text(colours));
  if (order.size() > most_databases)
    lines.push_back(fmt::format("and {} more", order.size() - most_databases));
}

void live_board::client_lines(std::vector<std::string>& lines, const history& past,
                              time_us now) const {
  std::vector<std::pair<time_us, std::string>> shown;
  for (const auto& [op, h] : past.holdings) {
    const auto& o = past.ops[op];
    if (h.to == never && now - h.from >= worth_showing_us)
      shown.emplace_back(h.from, fmt::format("{} holds {}/{} on node {} for {}", o.client, o.db,
                                             o.key, o.node, since_text(h.from, now)));
  }
  constexpr std::size_t recent = 5'000;
  for (std::size_t i = past.ops.size() - std::min(recent, past.ops.size()); i < past.ops.size();
       ++i) {
    const auto& o = past.ops[i];
    if (o.result == op_end::open && now - o.begin >= worth_showing_us)
      shown.emplace_back(o.begin, fmt::format("{} waits for {}/{} on node {} for {}", o.client,
                                              o.db, o.key, o.node, since_text(o.begin, now)));
  }
  std::ranges::stable_sort(shown, {}, [](const auto& s) { return s.first; });
  for (std::size_t i = 0; i < std::min(most_clients, shown.size()); ++i)
    lines.push_back(shown[i].second);
  if (shown.size() > most_clients)
    lines.push_back(fmt::format("and {} more clients", shown.size() - most_clients));
}

}  // namespace floe::cli::drill
