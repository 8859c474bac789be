#include "cli/drill/report/run_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "actors/events.hpp"
#include "cli/drill/checker/checker.hpp"
#include "cli/drill/run/said.hpp"
#include "cli/hex_digit.hpp"

namespace floe::cli::drill {
namespace {

/// Waits and holdings that are over sooner are what always happens.
constexpr std::int64_t shown_from_us = 5'000;
/// A page with more than that is slow to look at.
constexpr std::size_t most_lines = 30'000, most_uses = 600;
constexpr std::int64_t room_us = 20'000;

/// Whether the line waits for something, expects it, or reads what must be so ("smbd read a.tdb k is old").
bool judges(std::string_view statement) {
  return statement.starts_with("within ") || statement.starts_with("expect ") ||
         statement.find(" is ") != std::string_view::npos;
}

/// Keys are written as hex digits in logs.
std::string key_text(std::string_view hex) {
  std::string text;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const auto octet = hex_digit(hex[i]) * 16 + hex_digit(hex[i + 1]);
    if (octet < 0x20 || octet > 0x7e) return "0x" + std::string(hex);
    text += static_cast<char>(octet);
  }
  return text;
}

const char* end_text(op_end e) {
  return e == op_end::refused                        ? "refused"
         : e == op_end::unknown || e == op_end::open ? "unknown"
                                                     : "";
}

run_throughput throughput_of(const std::vector<operation>& ops, std::int64_t from,
                             std::int64_t to) {
  run_throughput t;
  t.bucket_us = 10'000;
  for (const std::int64_t step : {10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000,
                                  2'000'000, 5'000'000, 10'000'000}) {
    t.bucket_us = step;
    if ((to - from) / step <= 200) break;
  }
  const auto buckets = static_cast<std::size_t>((to - from) / t.bucket_us + 1);
  t.done.resize(buckets);
  t.failed.resize(buckets);
  std::vector<std::int64_t> begun(buckets + 1), ended(buckets + 1);
  const auto bucket = [&](std::int64_t at) {
    return at < from ? 0 : std::min(buckets, static_cast<std::size_t>((at - from) / t.bucket_us));
  };
  for (const auto& o : ops) {
    if (o.final_look || o.begin > to) continue;
    ++begun[bucket(o.begin)];
    ++ended[o.end == never ? buckets : bucket(o.end)];
    if (o.end == never || o.end < from || o.end > to) continue;
    ++(o.result == op_end::done ? t.done : t.failed)[bucket(o.end)];
  }
  std::int64_t open = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    open += begun[i] - ended[i];
    t.waiting.push_back(static_cast<std::uint32_t>(std::max<std::int64_t>(0, open)));
  }
  return t;
}

}  // namespace

void run_recorder::line(std::string_view text) {
  const auto l = read_trace_line(text);
  if (!l) return;
  // the checks' own reads at the end are more than all else, and tell nothing that the checks do
  // not
  if (keep_trace_ && !l->who.starts_with("observer-")) {
    if (trace_.size() == most_lines) {
      trace_.pop_front();
      ++left_out_;
    }
    trace_.push_back({l->t_us, std::string(l->who), std::string(l->text)});
  }
  last_us_ = l->t_us;
  if (auto e = l->event()) return take(std::move(*e));
  if (l->who != "drill") return;
  faults_.line(*l);
  if (const auto s = read_played(*l)) {
    played(l->t_us, *s);
  } else if (const auto d = read_done(*l)) {
    if (d->what == said::killed || d->what == said::shut_down)
      process(l->t_us, d->node, "running", "down");
    if (d->what == said::starts) process(l->t_us, d->node, "down", "running");
    if (d->what == said::paused) process(l->t_us, d->node, "running", "paused");
    if (d->what == said::goes_on) process(l->t_us, d->node, "paused", "running");
  } else if (l->text.starts_with(said::failed)) {
    end_check(l->t_us, false, l->text.substr(said::failed.size()));
  } else if (l->text == said::faults_over) {
    end_check(l->t_us, true, {});
    story_to_ = last_move_us_ = l->t_us;
  }
}

void run_recorder::process(std::int64_t t, std::uint32_t node, std::string_view from,
                           std::string_view to) {
  down_[node] = to == "down";
  last_move_us_ = t;
  events_.push_back({t, pnn{node}, line_of(event::process{.from = from, .to = to})});
}

/// What goes on the timeline. Short waits for locks are left out, they are what always happens.
void run_recorder::take(timed_event t) {
  if (down_[number(t.node)]) return;
  const auto waiter = [&](const auto& e) {
    return fmt::format("{} {} {} {}", number(t.node), t.line.db, e.client, e.key);
  };
  switch (t.line.id) {
    case event_id::freeze_state:
    case event_id::recovery_mode: last_move_us_ = t.t_us; break;
    case event_id::lock_release:
      if (const auto e = as<event::lock_release>(t.line); e && e->held_us < shown_from_us) return;
      break;
    case event_id::migration_done:
      if (const auto e = as<event::migration_done>(t.line))
        uses_.push_back({"migrates", "", t.line.db, key_text(e->key), t.node, t.t_us - e->waited_us,
                         t.t_us, ""});
      break;
    case event_id::lock_wait:
      if (const auto e = as<event::lock_wait>(t.line)) {
        auto who = waiter(*e);
        lock_waits_.insert_or_assign(std::move(who), std::move(t));
      }
      return;
    case event_id::lock_grant:
      if (const auto e = as<event::lock_grant>(t.line)) {
        auto wait = lock_waits_.extract(waiter(*e));
        if (e->waited_us < shown_from_us) return;
        if (wait) events_.push_back(std::move(wait.mapped()));
      }
      break;
    default: break;
  }
  events_.push_back(std::move(t));
}

void run_recorder::played(std::int64_t t, const played_statement& s) {
  end_check(t, true, {});
  if (story_from_ < 0) story_from_ = t;
  if (!judges(s.text)) return;
  checks_.push_back({.t_us = t, .what = fmt::format("{}: {}", s.line, s.text)});
  checking_ = true;
}

void run_recorder::end_check(std::int64_t t, bool good, std::string_view why) {
  if (!checking_) return;
  checking_ = false;
  auto& c = checks_.back();
  c.good = good;
  c.detail = why;
  c.seconds = static_cast<double>(t - c.t_us) / 1e6;
}

/// What clients did; a record of a million operations is not kept for it.
void run_recorder::end_with(const history& past) {
  if (story_to_ < 0) story_to_ = last_us_;
  const auto from = std::max<std::int64_t>(1, story_from_);
  const auto to = std::max(story_to_, std::min(last_move_us_, last_us_)) + room_us;
  made_.picture.from_us = from;
  made_.picture.to_us = to;
  made_.throughput = throughput_of(past.ops, from, to);
  const auto use = [&](const char* what, const operation& o, time_us begin, time_us end) {
    const auto until = std::min(end, to);  // what never ends lasts until the end
    if (until - begin >= shown_from_us)
      uses_.push_back({what, o.client, o.db, o.key, pnn{static_cast<std::uint32_t>(o.node)}, begin,
                       until, what == std::string_view("waits") ? end_text(o.result) : ""});
  };
  for (const auto& [i, h] : past.holdings) use("holds", past.ops[i], h.from, h.to);
  for (const auto& o : past.ops) {
    if (o.final_look || o.begin > to) continue;
    use("waits", o, o.begin, o.end);
    auto& longest = made_.longest_wait_us[o.db];
    longest = std::max(longest, std::min(o.end, to) - o.begin);
  }
}

/// The timeline, with a row for every database on every node, also where nothing happened.
void run_recorder::draw(std::size_t nodes) {
  for (auto& [who, wait] : lock_waits_) events_.push_back(std::move(wait));
  sort_events(events_);
  auto& p = made_.picture;
  p = make_picture(events_, p.from_us, p.to_us);
  std::set<std::string> databases;
  for (const auto& [db, us] : made_.longest_wait_us) databases.insert(db);
  for (const auto& e : events_) {
    if (!e.line.db.empty()) databases.insert(e.line.db);
    nodes = std::max<std::size_t>(nodes, number(e.node) + 1);
  }
  for (std::uint32_t n = 0; n < nodes; ++n) made_.nodes.push_back({pnn{n}, "floe"});
  std::set<std::pair<std::string, pnn>> there;
  for (const auto& row : p.rows) there.emplace(row.db, row.node);
  for (const auto& db : databases)
    for (const auto& n : made_.nodes)
      if (!there.contains({db, n.node}))
        p.rows.push_back({.db = db, .node = n.node, .spans = {}, .marks = {}});
  std::ranges::stable_sort(p.rows, {},
                           [](const timeline_row& row) { return std::pair(row.db, row.node); });
}

/// Before a new leader recovers nothing is frozen, and clients wait all the same.
void run_recorder::feel_faults() {
  auto& faults = made_.faults;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    auto& f = faults[i];
    const auto next = i + 1 < faults.size() ? faults[i + 1].from_us : made_.picture.to_us;
    for (const auto& u : uses_)
      if (u.what == "waits" && u.from_us < next && u.to_us > f.from_us)
        f.longest_wait_us = std::max(f.longest_wait_us, u.to_us - std::max(u.from_us, f.from_us));
  }
}

/// The longest ones, in the order of their beginnings.
void run_recorder::choose_uses() {
  const auto& p = made_.picture;
  std::erase_if(uses_,
                [&](const run_use& u) { return u.to_us < p.from_us || u.from_us > p.to_us; });
  std::ranges::stable_sort(uses_, std::ranges::greater{},
                           [](const run_use& u) { return u.to_us - u.from_us; });
  if (uses_.size() > most_uses) uses_.resize(most_uses);
  std::ranges::stable_sort(uses_, {}, &run_use::from_us);
  made_.uses = std::move(uses_);
}

run_record run_recorder::finish(const script& s, const verdict& v) {
  made_.title = s.name;
  made_.story = s.story;
  made_.mode = "sim";
  made_.seed = v.seed;
  made_.good = v.held;
  made_.reason = v.reason;
  draw(s.nodes);
  made_.faults = faults_.finish(story_to_);
  feel_faults();
  choose_uses();
  made_.checks = std::move(checks_);
  for (const auto& c : v.checks)
    made_.checks.push_back({.t_us = made_.picture.to_us,
                            .what = c.checker,
                            .good = c.broken.empty(),
                            .detail = !c.broken.empty() ? c.broken.front()
                                      : c.explained > 0
                                          ? fmt::format("{} explained by a lost node", c.explained)
                                          : ""});
  made_.trace.assign(std::make_move_iterator(trace_.begin()),
                     std::make_move_iterator(trace_.end()));
  made_.trace_left_out = left_out_;
  return std::move(made_);
}

}  // namespace floe::cli::drill
