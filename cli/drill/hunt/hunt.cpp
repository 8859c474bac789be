#include "cli/drill/hunt/hunt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "cli/drill/hunt/coverage.hpp"
#include "cli/drill/hunt/hunted_drill.hpp"
#include "cli/drill/language/shipped_drills.hpp"
#include "cli/drill/run/sweep.hpp"
#include "cli/drill/shrink/script_lines.hpp"
#include "cli/drill/shrink/shrink_drill.hpp"

namespace floe::cli::drill {
namespace {

constexpr std::size_t group_size = 32;
constexpr unsigned anew_percent = 35;    ///< drills that are not made of others
constexpr unsigned recent_percent = 60;  ///< of the others: made of one of the last
constexpr std::size_t recent = 64;
/// One check can fail in many ways that are one fault.
constexpr std::size_t kinds_of_a_check = 6;
/// Of the shipped drills those that take as long as hundreds of others; nothing is made of them.
constexpr auto about_size =
    std::to_array<std::string_view>({"many-databases", "million-records", "thousand-databases"});

class hunter {
 public:
  hunter(const hunt_options& o, const hunt_listeners& l)
      : options_(o), listeners_(l), shown_(coverage_map::size) {}

  hunt_result run() {
    if (options_.shipped) take_shipped();
    const auto began = std::chrono::steady_clock::now();
    const auto over = [&] {
      if (result_.interrupted ||
          (options_.failures > 0 && result_.failures.size() >= options_.failures))
        return true;
      if (options_.minutes > 0)
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() >=
               options_.minutes * 60;
      return result_.end.drills >= options_.drills;
    };
    while (!over()) play_group();
    return std::move(result_);
  }

 private:
  struct candidate {
    hunted_drill drill;
    script readable;
    std::uint64_t seed = 1;
    std::optional<verdict> end{};
  };

  void take_shipped() {
    chance c(options_.seed, UINT64_MAX);
    for (const auto& d : shipped_drills()) {
      if (std::ranges::find(about_size, d.name) != about_size.end()) continue;
      if (const auto s = read_script(std::string(d.name), d.text))
        pool_.push_back(taken_from(*s, c));
    }
  }

  hunted_drill next_drill(chance& c) {
    if (pool_.empty() || c.percent(anew_percent)) return compose_drill(c);
    const auto last = std::min(recent, pool_.size());
    const auto& one = c.percent(recent_percent) ? pool_[pool_.size() - last + c.below(last)]
                                                : pool_[c.below(pool_.size())];
    return mutate_drill(one, pool_[c.below(pool_.size())], c);
  }

  void play_group() {
    std::deque<candidate> group;
    std::vector<planned_run> runs;
    auto size = group_size;
    if (options_.minutes <= 0) size = std::min(size, options_.drills - result_.end.drills);
    for (std::size_t i = 0; i < size; ++i) {
      const auto number = result_.end.drills + i;
      chance c(options_.seed, number);
      auto d = next_drill(c);
      keep_to(options_.scope, d);
      auto s = readable(d, fmt::format("hunted-{}", number));
      group.push_back({std::move(d), std::move(s), 1 + c.below(1'000'000)});
      runs.push_back({.drill = &group.back().readable, .seed = group.back().seed, .hunted = true});
    }
    std::size_t ended = 0;
    result_.interrupted |= sweep(runs, options_.jobs, [&](const planned_run& r, const verdict& v) {
                             group[static_cast<std::size_t>(&r - runs.data())].end = v;
                             tell(++ended);
                           }) != 0;
    for (std::size_t i = 0; i < group.size() && !result_.interrupted; ++i)
      take_in(group[i], result_.end.drills + i);
    if (!result_.interrupted) result_.end.drills += group.size();
    tell(0);
  }

  void tell(std::size_t more) {
    auto p = result_.end;
    p.drills += more;
    p.pool = pool_.size();
    p.kinds = result_.failures.size();
    result_.end.pool = p.pool;
    result_.end.kinds = p.kinds;
    listeners_.progress(p);
  }

  void take_in(candidate& c, std::size_t number) {
    if (!c.end) return;
    const auto& v = *c.end;
    result_.end.virtual_s += v.virtual_ms / 1000;
    bool fresh = false;
    for (const auto p : v.pairs)
      if (!shown_[p]) {
        shown_[p] = fresh = true;
        ++result_.end.pairs;
      }
    if (fresh && v.held) pool_.push_back(c.drill);
    if (!v.held) failed(c, number);
  }

  void failed(const candidate& c, std::size_t number) {
    const auto& v = *c.end;
    ++result_.end.failures;
    hunt_failure f{.failed_at = v.failed_at.empty() ? v.reason : v.failed_at,
                   .last_events = v.last_events,
                   .reason = v.reason,
                   .text = file_text(c, number),
                   .seed = c.seed,
                   .drill = number,
                   .lines = c.drill.lines.size()};
    if (again(f)) return;
    if (of_check_[f.failed_at] >= kinds_of_a_check) return;
    const auto whole = kind_of(f);
    if (options_.shrink) make_smaller(f, c);
    // what remains may be what was found before
    if (again(f)) {
      known_[whole] = known_[kind_of(f)];
      return;
    }
    ++of_check_[f.failed_at];
    known_[whole] = known_[kind_of(f)] = result_.failures.size();
    result_.failures.push_back(f);
    listeners_.found(f);
  }

  static std::string kind_of(const hunt_failure& f) { return f.failed_at + "\n" + f.last_events; }

  /// Counts it if its kind is known.
  bool again(const hunt_failure& f) {
    const auto i = known_.find(kind_of(f));
    if (i == known_.end()) return false;
    ++result_.failures[i->second].times;
    return true;
  }

  const char* scope_text() const {
    switch (options_.scope) {
      case hunt_scope::all: return "";
      case hunt_scope::lock: return " --with lock";
      case hunt_scope::majority: return " --with majority";
    }
    std::unreachable();
  }

  std::string file_text(const candidate& c, std::size_t number) const {
    const auto text = c.drill.text();
    const auto end = text.find('\n');
    return fmt::format(
        "# Written by `floe drill hunt --seed {}{}`: drill {}.\n# It failed at {}.\n{}{}",
        options_.seed, scope_text(), number,
        c.end->failed_at.empty() ? c.end->reason : c.end->failed_at,
        cluster_with_seed(text.substr(0, end), c.seed), text.substr(end));
  }

  void make_smaller(hunt_failure& f, const candidate& c) {
    auto p = result_.end;
    p.doing = "making a failure smaller";
    listeners_.progress(p);
    auto s = c.readable;
    s.title = fmt::format("Written by `floe drill hunt --seed {}{}`: drill {}.", options_.seed,
                          scope_text(), f.drill);
    const auto small =
        shrink(s, {.seed = c.seed, .jobs = options_.jobs}, [](std::size_t, std::size_t) {});
    if (!small) {
      result_.interrupted |= small.error().interrupted;
      return;
    }
    f.text = small->text;
    f.seed = small->seed;
    f.reason = small->reason;
    f.lines = small->lines_after;
    f.smaller = true;
    // its last events are those of the smaller one
    const auto read = read_script(c.readable.name, small->text);
    if (!read) return;
    const std::vector<planned_run> once{{.drill = &*read, .seed = small->seed, .hunted = true}};
    result_.interrupted |= sweep(once, 1, [&](const planned_run&, const verdict& v) {
                             f.last_events = v.last_events;
                           }) != 0;
  }

  const hunt_options& options_;
  const hunt_listeners& listeners_;
  std::vector<bool> shown_;
  std::vector<hunted_drill> pool_;
  std::map<std::string, std::size_t> known_;     ///< failures by their kind
  std::map<std::string, std::size_t> of_check_;  ///< kinds
  hunt_result result_;
};

}  // namespace

hunt_result hunt(const hunt_options& o, const hunt_listeners& l) { return hunter(o, l).run(); }

}  // namespace floe::cli::drill
