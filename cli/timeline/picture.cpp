#include "cli/timeline/picture.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "actors/events.hpp"

namespace floe::cli {
namespace {

constexpr std::int64_t quiet_us = 1'000'000;
/// Room around the first and last thing that happened.
constexpr double margin = 0.02;

struct interval {
  std::int64_t from, to;
  bool interesting;  ///< a database was frozen in it
};

/// Spans of a thing that changes its state by events "from->to", as far as it is not in its normal
/// one.
class span_builder {
 public:
  explicit span_builder(std::string normal) : normal_(std::move(normal)) {}
  void change(std::int64_t t, std::string_view from, std::string_view to) {
    // what we have not seen beginning has begun before the oldest event
    if (spans_.empty() && from != normal_ && !from.empty())
      spans_.push_back({std::string(from), t, t, true});
    close(t);
    if (to != normal_) spans_.push_back({std::string(to), t, t, true});
  }
  void close(std::int64_t t) {
    if (spans_.empty() || !spans_.back().open) return;
    spans_.back().to_us = t;
    spans_.back().open = false;
  }
  std::vector<span> finish(std::int64_t now_us) {
    if (!spans_.empty() && spans_.back().open)
      spans_.back().to_us = std::max(now_us, spans_.back().from_us);
    return std::move(spans_);
  }

 private:
  std::string normal_;
  std::vector<span> spans_;
};

struct collected {
  std::map<std::pair<std::string, pnn>, span_builder> databases;
  std::map<pnn, span_builder> modes, processes;
  std::map<std::pair<std::string, pnn>, std::vector<mark>> marks;
  std::vector<interval> busy;
  std::vector<std::pair<std::string, span_builder>> stories;  ///< by database and run
  struct story_key {
    std::string db;
    std::uint64_t run = 0;
    pnn node{0};
    auto operator<=>(const story_key&) const = default;
  };
  std::map<story_key, std::size_t> story_of;

  void add(const timed_event& e) {
    const std::pair at{e.line.db, e.node};
    const auto mark = [&](char sign) { marks[at].push_back({sign, e.t_us}); };
    switch (e.line.id) {
      case event_id::freeze_state:
        if (const auto f = as<event::freeze_state>(e.line))
          databases.try_emplace(at, "thawed").first->second.change(e.t_us, f->from, f->to);
        break;
      case event_id::recovery_mode:
        if (const auto m = as<event::recovery_mode>(e.line))
          modes.try_emplace(e.node, "normal").first->second.change(e.t_us, m->from, m->to);
        break;
      case event_id::process:
        if (const auto p = as<event::process>(e.line)) {
          processes.try_emplace(e.node, "running").first->second.change(e.t_us, p->from, p->to);
          if (p->to == "down") end_node(e);
        }
        break;
      case event_id::recovery_phase:
        if (const auto p = as<event::recovery_phase>(e.line)) add_phase(e, *p);
        break;
      case event_id::lock_wait: mark('w'); break;
      case event_id::lock_grant:
        mark('G');
        if (const auto g = as<event::lock_grant>(e.line))
          busy.push_back({e.t_us - g->waited_us, e.t_us, false});
        break;
      case event_id::lock_release: mark('L'); break;
      case event_id::migration_resent: mark('R'); break;
      case event_id::node_down: mark('x'); break;
      default: break;  // the other ninety are told in words, or not at all
    }
  }

  /// What a node was in the middle of ends with it.
  void end_node(const timed_event& e) {
    for (auto& [at, b] : databases)
      if (at.second == e.node) b.close(e.t_us);
    if (const auto m = modes.find(e.node); m != modes.end()) m->second.close(e.t_us);
    for (const auto& [run, i] : story_of)
      if (run.node == e.node) stories[i].second.close(e.t_us);
  }

  void add_phase(const timed_event& e, const event::recovery_phase& p) {
    auto [i, fresh] = story_of.try_emplace({e.line.db, p.run, e.node}, stories.size());
    if (fresh) stories.emplace_back(e.line.db, span_builder("idle"));
    auto& story = stories[i->second].second;
    story.change(e.t_us, p.from, p.to);
    // the last phase is an end, not a span
    if (p.to == "done" || p.to == "failed") story.close(e.t_us);
  }
};

/// Where the last stretch of unusual things begins and ends.
std::optional<interval> last_episode(std::vector<interval> busy) {
  std::ranges::sort(busy, {}, &interval::from);
  std::optional<interval> last;
  std::optional<interval> current;
  for (const auto& b : busy) {
    if (current && b.from <= current->to + quiet_us) {
      current->to = std::max(current->to, b.to);
      current->interesting = current->interesting || b.interesting;
      continue;
    }
    if (current && current->interesting) last = current;
    current = b;
  }
  if (current && (current->interesting || !last)) last = current;
  return last;
}

void clip(std::vector<span>& spans, std::int64_t from, std::int64_t to) {
  std::erase_if(spans, [&](const span& s) { return s.to_us < from || s.from_us > to; });
}
void clip(std::vector<mark>& marks, std::int64_t from, std::int64_t to) {
  std::erase_if(marks, [&](const mark& m) { return m.t_us < from || m.t_us > to; });
}

}  // namespace

timeline_picture make_picture(const std::vector<timed_event>& events, std::int64_t since_us,
                              std::int64_t now_us) {
  collected all;
  for (const auto& e : events) all.add(e);

  std::vector<timeline_row> rows;
  for (auto& [node, b] : all.modes)
    rows.push_back({.db = "", .node = node, .spans = b.finish(now_us), .marks = {}});
  for (auto& [node, b] : all.processes) {
    auto row = std::ranges::find_if(
        rows, [&](const timeline_row& r) { return r.db.empty() && r.node == node; });
    if (row == rows.end())
      row = rows.insert(rows.end(), {.db = "", .node = node, .spans = {}, .marks = {}});
    for (auto& s : b.finish(now_us)) row->spans.push_back(std::move(s));
  }
  for (auto& [key, b] : all.databases)
    rows.push_back({.db = key.first, .node = key.second, .spans = b.finish(now_us), .marks = {}});
  for (auto& [key, m] : all.marks) {
    auto row = std::ranges::find_if(
        rows, [&](const timeline_row& r) { return r.db == key.first && r.node == key.second; });
    if (row == rows.end())
      row =
          rows.insert(rows.end(), {.db = key.first, .node = key.second, .spans = {}, .marks = {}});
    row->marks = std::move(m);
  }
  for (const auto& r : rows)
    for (const auto& s : r.spans) all.busy.push_back({s.from_us, s.to_us, !r.db.empty()});

  timeline_picture p;
  if (since_us > 0) {
    p.from_us = since_us;
    p.to_us = now_us;
  } else if (const auto episode = last_episode(all.busy)) {
    const auto room =
        static_cast<std::int64_t>(static_cast<double>(episode->to - episode->from) * margin) + 1000;
    p.from_us = episode->from - room;
    p.to_us = episode->to + room;
  }
  if (p.empty()) return p;
  for (auto& r : rows) {
    clip(r.spans, p.from_us, p.to_us);
    clip(r.marks, p.from_us, p.to_us);
    if (!r.spans.empty() || !r.marks.empty()) p.rows.push_back(std::move(r));
  }
  std::ranges::stable_sort(p.rows, [](const auto& a, const auto& b) {
    return std::pair(a.db, a.node) < std::pair(b.db, b.node);
  });
  for (auto& [db, b] : all.stories) {
    auto phases = b.finish(now_us);
    clip(phases, p.from_us, p.to_us);
    if (!phases.empty()) p.stories.push_back({db, std::move(phases)});
  }
  for (const auto& e : events)
    if (e.t_us >= p.from_us && e.t_us <= p.to_us) p.events.push_back(e);
  return p;
}

}  // namespace floe::cli
