#include "cli/timeline/picture.hpp"

#include <algorithm>
#include <map>
#include <optional>

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
  void change(const timed_event& e) {
    const auto [from, to] = e.change();
    // what we have not seen beginning has begun before the oldest event
    if (spans_.empty() && from != normal_ && !from.empty())
      spans_.push_back({std::string(from), e.t_us, e.t_us, true});
    close(e.t_us);
    if (to != normal_) spans_.push_back({std::string(to), e.t_us, e.t_us, true});
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
  std::map<std::pair<std::string, std::string>, std::int64_t>
      waits;  ///< (db, client and key) -> begin
  std::vector<interval> busy;
  std::vector<std::pair<std::string, span_builder>> stories;  ///< by database and run
  std::map<std::pair<std::string, std::string>, std::size_t> story_of;

  void add(const timed_event& e) {
    const std::pair at{e.db, e.node};
    if (e.name == "freeze-state") {
      databases.try_emplace(at, "thawed").first->second.change(e);
    } else if (e.name == "recovery-mode") {
      modes.try_emplace(e.node, "normal").first->second.change(e);
    } else if (e.name == process_event) {
      processes.try_emplace(e.node, "running").first->second.change(e);
      if (e.change().second == "down") end_node(e);
    } else if (e.name == "recovery-phase") {
      add_phase(e);
    } else if (e.name == "lock-wait") {
      marks[at].push_back({'w', e.t_us});
    } else if (e.name == "lock-grant") {
      marks[at].push_back({'G', e.t_us});
      busy.push_back({e.t_us - e.number_of("waited_us"), e.t_us, false});
    } else if (e.name == "lock-release") {
      marks[at].push_back({'L', e.t_us});
    } else if (e.name == "migration-resent") {
      marks[at].push_back({'R', e.t_us});
    } else if (e.name == "node-down") {
      marks[at].push_back({'x', e.t_us});
    }
  }

  /// What a node was in the middle of ends with it.
  void end_node(const timed_event& e) {
    for (auto& [at, b] : databases)
      if (at.second == e.node) b.close(e.t_us);
    if (const auto m = modes.find(e.node); m != modes.end()) m->second.close(e.t_us);
    for (const auto& [run, i] : story_of)
      if (run.second.ends_with("@" + std::to_string(number(e.node)))) stories[i].second.close(e.t_us);
  }

  void add_phase(const timed_event& e) {
    const std::pair key{e.db, std::string(e.value("run")) + "@" + std::to_string(number(e.node))};
    auto [i, fresh] = story_of.try_emplace(key, stories.size());
    if (fresh) stories.emplace_back(e.db, span_builder("idle"));
    const auto from = e.value("from"), to = e.value("to");
    timed_event change = e;
    change.detail = std::string(from).append("->").append(to);
    stories[i->second].second.change(change);
    // the last phase is an end, not a span
    if (to == "done" || to == "failed") stories[i->second].second.close(e.t_us);
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
    auto row = std::ranges::find_if(rows, [&](const timeline_row& r) { return r.db.empty() && r.node == node; });
    if (row == rows.end()) row = rows.insert(rows.end(), {.db = "", .node = node, .spans = {}, .marks = {}});
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
