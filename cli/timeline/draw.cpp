/// The picture as text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "actors/events.hpp"
#include "cli/keys.hpp"
#include "cli/output.hpp"
#include "cli/recovered_text.hpp"
#include "cli/timeline/picture.hpp"
#include "cli/wrap.hpp"
#include "protocol/ids.hpp"
#include "protocol/recovery_mode.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

struct look {
  std::string_view state;
  std::string_view cell;
  style colour;
};
constexpr std::array looks = std::to_array<look>({
    {"freezing", "░", style::warn},
    {"frozen", "▒", style::accent},
    {"in_transaction", "█", style::accent},
    {"active", "─", style::bad},
});
constexpr std::string_view empty_cell = "·";

const look* look_of(std::string_view state) {
  const auto i = std::ranges::find(looks, state, &look::state);
  return i == looks.end() ? nullptr : &*i;
}

style colour_of(char sign) {
  switch (sign) {
    case 'w': return style::warn;
    case 'R': return style::accent;
    case 'G': return style::good;
    case 'x': return style::bad;
    default: return style::bold;
  }
}

double ms(std::int64_t us) { return static_cast<double>(us) / 1000; }

std::string ms_text(std::int64_t us) {
  const double m = ms(us);
  return m < 10 ? fmt::format("{:.1f}", m) : fmt::format("{:.0f}", m);
}

/// What is told in milliseconds up to here is told in larger units above.
constexpr std::int64_t longest_in_ms_us = 10'000'000;

std::string span_text(std::int64_t us) {
  return us < longest_in_ms_us ? ms_text(us) + " ms" : age_text(ms(us));
}
/// A moment, from the begin on: to the millisecond, however late.
std::string moment_text(std::int64_t us) {
  return us < longest_in_ms_us ? fmt::format("+{} ms", ms_text(us))
                               : fmt::format("+{:.3f} s", ms(us) / 1000);
}

/// Columns of time.
class scale {
 public:
  scale(std::int64_t from, std::int64_t to, std::size_t columns)
      : from_(from), to_(to), columns_(columns) {}
  std::size_t columns() const { return columns_; }
  std::size_t column(std::int64_t t) const {
    const double part =
        static_cast<double>(std::clamp(t, from_, to_) - from_) / static_cast<double>(to_ - from_);
    return std::min(columns_ - 1, static_cast<std::size_t>(part * static_cast<double>(columns_)));
  }
  /// "0        100       200 ms", a number wherever a round step falls; seconds, where it is long.
  std::string ruler() const {
    const bool is_long = to_ - from_ >= longest_in_ms_us;
    const double unit_us = is_long ? 1e6 : 1e3;
    const double total = static_cast<double>(to_ - from_) / unit_us;
    const double most = static_cast<double>(columns_) / 12;
    double step = 0.1;
    for (int i = 0; total / step > most; ++i)
      step *= i % 3 == 1 ? 2.5 : 2;  // 0.1 0.2 0.5 1 2 5 ...
    std::string line(columns_ + 12, ' ');
    for (double at = 0; at <= total; at += step) {
      const auto text = step < 1 ? fmt::format("{:.1f}", at) : fmt::format("{:.0f}", at);
      const auto place = column(from_ + static_cast<std::int64_t>(at * unit_us));
      line.replace(place, text.size(), text);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + (is_long ? " s" : " ms");
  }

 private:
  std::int64_t from_, to_;
  std::size_t columns_;
};

struct painted {
  std::string text;
  style look = style::dim;
};

std::string bar(const timeline_row& r, const scale& s, bool colours) {
  std::vector<painted> cells(s.columns(), painted{std::string(empty_cell), style::dim});
  for (const auto& x : r.spans) {
    const auto* l = look_of(x.what);
    if (!l) continue;
    // each span shows, however short; what begins later lies on top
    for (auto i = s.column(x.from_us); i <= s.column(std::max(x.from_us, x.to_us - 1)); ++i)
      cells[i] = {std::string(l->cell), l->colour};
  }
  // marks that fall together stand side by side
  std::vector<bool> taken(cells.size());
  for (const auto& m : r.marks) {
    auto i = s.column(m.t_us);
    while (i + 1 < cells.size() && taken[i]) ++i;
    taken[i] = true;
    cells[i] = {std::string(1, m.sign), colour_of(m.sign)};
  }
  std::string out;
  for (std::size_t i = 0; i < cells.size();) {
    std::string run;
    const auto look = cells[i].look;
    for (; i < cells.size() && cells[i].look == look; ++i) run += cells[i].text;
    out += paint(look, run, colours);
  }
  return out;
}

/// "freezing 2012, frozen 3, in transaction 14"
std::string durations(const timeline_row& r) {
  std::string out;
  std::vector<std::pair<std::string, std::int64_t>> sums;
  for (const auto& s : r.spans) {
    auto i = std::ranges::find(sums, s.what, &std::pair<std::string, std::int64_t>::first);
    if (i == sums.end()) i = sums.insert(sums.end(), {s.what, 0});
    i->second += s.to_us - s.from_us;
  }
  const bool open = !r.spans.empty() && r.spans.back().open;
  // the unit stands once, if it is that of all
  const bool is_long =
      std::ranges::any_of(sums, [](const auto& sum) { return sum.second >= longest_in_ms_us; });
  for (auto& [what, us] : sums) {
    std::ranges::replace(what, '_', ' ');
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", what,
                       is_long ? span_text(us) : ms_text(us));
  }
  if (!out.empty() && !is_long) out += " ms";
  return out.empty() ? out : out + (open ? " ..." : "");
}

std::string key_text(std::string_view hex) {
  const auto octets = parse_octets("0x" + std::string(hex));
  return octets ? show_octets(*octets) : std::string(hex);
}
/// Of an event that a client's lock is about.
std::string client_text(const auto& e) { return fmt::format("{} (pid {})", e.name, e.pid); }

/// One line for people; empty: not worth one (the bars show it).
std::string sentence(const timed_event& t) {
  if (const auto e = as<event::node_down>(t.line))
    return fmt::format("lost node {}", number(e->pnn));
  if (const auto e = as<event::node_up>(t.line))
    return fmt::format("node {} is connected", number(e->pnn));
  if (const auto e = as<event::recovery_mode>(t.line))
    return e->to == name(recovery_mode::active) ? fmt::format("recovery mode ACTIVE: {}", e->why)
                                                : std::string("recovery mode NORMAL");
  if (const auto e = as<event::recovery_started>(t.line))
    return fmt::format("leads recovery {}: started, generation {}", e->run, number(e->generation));
  if (const auto e = as<event::recovery_ended>(t.line))
    return fmt::format("leads recovery {}: {}, generation {}", e->run, e->good ? "done" : "failed",
                       number(e->generation));
  if (const auto e = as<event::database_recovered>(t.line))
    return "recovered " + recovered_text({.way = std::string(e->way),
                                          .why = std::string(e->why),
                                          .looked_at = e->looked_at,
                                          .records = e->records,
                                          .bytes = e->bytes,
                                          .kept = e->kept,
                                          .lost = e->lost,
                                          .ms = static_cast<double>(e->ms)});
  if (const auto e = as<event::leader>(t.line))
    return e->to == pnn::unknown ? std::string("nobody leads")
                                 : fmt::format("leader is {}", number(e->to));
  if (const auto e = as<event::lock_wait>(t.line))
    return fmt::format("{} waits for the lock of {}: {}", client_text(*e), key_text(e->key),
                       e->why);
  if (const auto e = as<event::lock_grant>(t.line))
    return fmt::format("{} gets the lock of {} after {}", client_text(*e), key_text(e->key),
                       span_text(e->waited_us));
  if (const auto e = as<event::lock_release>(t.line))
    return fmt::format("{} gives the lock of {} back after {}", client_text(*e), key_text(e->key),
                       span_text(e->held_us));
  if (const auto e = as<event::migration_resent>(t.line))
    return fmt::format("asks node {} again for {}, generation {}", number(e->to), key_text(e->key),
                       number(e->gen));
  if (const auto e = as<event::freeze_state>(t.line)) {
    if (e->to == name(freeze_state::freezing))
      return fmt::format("freezing, waits for {} holder{}", e->holders, e->holders == 1 ? "" : "s");
    return e->from == name(freeze_state::freezing) ? std::string(e->to) : std::string();
  }
  return {};
}

std::string list_of_events(const timeline_picture& p, bool colours) {
  constexpr std::size_t most = 60;
  table t({{"", true}, {""}, {""}, {""}});
  std::size_t left = 0, count = 0;
  for (const auto& e : p.events) {
    auto text = sentence(e);
    if (text.empty()) continue;
    if (++count > most) {
      ++left;
      continue;
    }
    t.row({{moment_text(e.t_us - p.from_us), style::dim},
           fmt::format("node {}", number(e.node)),
           {e.line.db, style::bold},
           std::move(text)});
  }
  const auto text = t.text(colours);
  std::string out = text.empty() ? text : text.substr(text.find('\n') + 1);
  if (left > 0) out += fmt::format("... and {} more; --json has them all\n", left);
  return out;
}

std::string list_of_stories(const timeline_picture& p, bool colours) {
  std::string out;
  for (const auto& s : p.stories) {
    std::string phases;
    for (const auto& x : s.phases) {
      if (x.what == "done" || x.what == "failed") {
        phases += " › " + paint(x.what == "done" ? style::good : style::bad, x.what, colours);
        continue;
      }
      phases += fmt::format("{}{} {}{}", phases.empty() ? "" : " › ", x.what,
                            ms_text(x.to_us - x.from_us), x.open ? " ..." : "");
    }
    out += fmt::format("{}: {}\n",
                       paint(style::bold, s.db.empty() ? "cluster" : wire::visible(s.db), colours),
                       phases);
  }
  return out.empty() ? out : "phases of the leader's recovery, ms\n" + out;
}

std::string from_to(const timeline_picture& p) {
  if (p.clock == timeline_picture::counts::from_1970)
    return fmt::format("{} to {}", time_text(p.from_us), clock_text(p.to_us));
  const auto seconds = [](std::int64_t us) { return static_cast<double>(us) / 1e6; };
  return fmt::format("{:.3f} s to {:.3f} s of the run", seconds(p.from_us), seconds(p.to_us));
}

std::string legend(bool colours) {
  std::string out = "  ";
  for (const auto& l : looks) {
    std::string name(l.state == "active" ? "recovery mode ACTIVE" : l.state);
    std::ranges::replace(name, '_', ' ');
    out += paint(l.colour, l.cell, colours) + " " + name + "   ";
  }
  out.erase(out.find_last_not_of(' ') + 1);
  out += "\n  ";
  constexpr std::array<std::pair<char, const char*>, 5> meanings{{{'w', "waits for a lock"},
                                                                  {'R', "asked again"},
                                                                  {'G', "granted"},
                                                                  {'L', "lock given back"},
                                                                  {'x', "node lost"}}};
  for (const auto& [sign, meaning] : meanings)
    out += paint(colour_of(sign), std::string(1, sign), colours) + " " + meaning + "   ";
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

/// Each of these lines, as far as it is longer, in several.
std::string broken(std::string_view lines, std::size_t width) {
  std::string out;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    out += wrapped(lines.substr(0, end), width, 4) + "\n";
    lines.remove_prefix(std::min(lines.size(), end + 1));
  }
  return out;
}

}  // namespace

std::string draw(const timeline_picture& p, std::size_t width, bool colours) {
  if (p.empty()) return "nothing has happened\n";
  std::size_t name_width = text_width("recovery mode"), text_room = 0;
  for (const auto& r : p.rows) {
    name_width = std::max(name_width, text_width(wire::visible(r.db)));
    text_room = std::max(text_room, text_width(durations(r)));
  }
  constexpr std::size_t shortest_bar = 40, longest_bar = 160;
  constexpr std::size_t narrow = 80;
  // on a narrow terminal a name that would take the room of the bars stands above them
  if (width < narrow)
    name_width = std::min(name_width, std::max(width / 4, text_width("recovery mode")));
  const std::size_t before = name_width + 2 + 4 + 2, beside = text_room + 3;
  // where they do not fit beside it, the durations stand below their bar, and the ruler ends with it
  constexpr std::size_t end_of_ruler = 10;
  const bool below = width < narrow && width < before + shortest_bar + beside;
  const std::size_t taken = before + (below ? end_of_ruler : beside);
  const scale s(p.from_us, p.to_us,
                std::clamp<std::size_t>(width > taken ? width - taken : 0,
                                        below ? shortest_bar / 2 : shortest_bar, longest_bar));
  std::string out =
      paint(style::bold, fmt::format("{}, {}", from_to(p), span_text(p.to_us - p.from_us)),
            colours) +
      "\n\n";
  out += std::string(name_width + 2 + 4 + 1, ' ') + paint(style::dim, s.ruler(), colours) + "\n";
  std::string last = "\n";
  for (const auto& r : p.rows) {
    const std::string name = r.db.empty() ? "recovery mode" : wire::visible(r.db);
    const bool again = name == last;
    last = name;
    auto shown = again ? std::string() : name;
    if (text_width(shown) > name_width)
      out += paint(style::bold, std::exchange(shown, {}), colours) + "\n";
    out +=
        paint(style::bold, shown, colours) + std::string(name_width - text_width(shown) + 2, ' ');
    out += fmt::format("{:>3} │", number(r.node)) + bar(r, s, colours) + "│";
    const auto text = durations(r);
    const auto where = below ? "\n" + std::string(before, ' ') : std::string(" ");
    out += (text.empty() ? "" : where + text) + "\n";
  }
  const auto limit = width < narrow ? width : std::string::npos;
  out += broken(legend(colours), limit);
  if (const auto events = list_of_events(p, colours); !events.empty()) out += "\n" + events;
  if (const auto stories = list_of_stories(p, colours); !stories.empty())
    out += "\n" + broken(stories, limit);
  return out;
}

}  // namespace floe::cli
