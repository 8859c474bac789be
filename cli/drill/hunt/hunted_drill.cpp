#include "cli/drill/hunt/hunted_drill.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <set>

#include "cli/drill/hunt/pattern.hpp"
#include "cli/duration_text.hpp"
#include "cli/script_words.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_lines = 40;
constexpr duration longest_story = 90s;

std::string first_word(const std::string& line) { return line.substr(0, line.find(' ')); }

/// They cannot fail, or what fails then is worth knowing.
bool always_possible(const std::string& line) {
  constexpr std::array<std::string_view, 4> those{"wait", "workload", "heal", "allow"};
  return std::ranges::find(those, first_word(line)) != those.end();
}

const std::vector<const verb*>& usable_verbs() {
  static const std::vector<const verb*> all = [] {
    std::vector<const verb*> made;
    for (const auto& v : all_verbs())
      if (!v.uses.empty()) made.push_back(&v);
    return made;
  }();
  return all;
}

duration waited(const std::vector<std::string>& lines) {
  duration sum{0};
  for (const auto& l : lines)
    if (first_word(l) == "wait") sum += parse_duration(l.substr(5)).value_or(duration{0});
  return sum;
}

std::optional<std::string> random_line(const std::vector<const verb*>& verbs, drill_setting& s,
                                       chance& c) {
  const auto& v = *c.of(verbs);
  if (v.name == std::string_view("lock") && !v.of_client && !s.cluster_lock) return std::nullopt;
  return fill_pattern(c.of(v.uses), s, c);
}

/// What the lines before have introduced.
drill_setting setting_after(const hunted_drill& d, std::size_t lines, chance& c) {
  drill_setting s{.nodes = d.nodes,
                  .cluster_lock = d.cluster_lock,
                  .longest = c.of<duration>({5ms, 300ms, 3s, 20s})};
  for (std::size_t i = 0; i < lines; ++i) {
    const auto words = split_words(d.lines[i]).value_or(std::vector<std::string>{});
    if (words.size() < 2) continue;
    if (words[0] == "attach") {
      const bool kept = std::ranges::any_of(
          words, [](const auto& w) { return w == "persistent" || w == "replicated"; });
      for (std::size_t w = 1; w < words.size(); ++w)
        if (words[w].ends_with(".tdb"))
          s.lists[kept ? "transactional" : "volatile"].push_back(words[w]);
    }
    if (words[0] == "client") s.lists["client"].push_back(words[1]);
    if (words[0] == "let") s.lists["named"].push_back(words[1]);
    for (const auto* v : usable_verbs()) {
      if (v->of_client || words[0] != v->name) continue;
      const std::string_view use(v->uses.front());
      const auto at = use.find("{node>");
      if (at != std::string_view::npos)
        s.lists[std::string(use.substr(at + 6, use.find('}') - at - 6))].push_back(words[1]);
    }
  }
  return s;
}

void insert_lines(hunted_drill& d, chance& c) {
  const auto at = c.below(d.lines.size() + 1);
  auto s = setting_after(d, at, c);
  std::vector<std::string> more;
  for (auto n = c.between(1, 5); n > 0; --n)
    if (auto l = random_line(usable_verbs(), s, c)) more.push_back(*l);
  d.lines.insert(d.lines.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
}

void leave_out_lines(hunted_drill& d, chance& c) {
  const auto from = c.below(d.lines.size());
  const auto to = std::min<std::size_t>(d.lines.size(), from + c.between(1, 4));
  d.lines.erase(d.lines.begin() + static_cast<std::ptrdiff_t>(from),
                d.lines.begin() + static_cast<std::ptrdiff_t>(to));
}

void do_again(hunted_drill& d, chance& c) {
  const auto from = c.below(d.lines.size());
  const auto to = std::min<std::size_t>(d.lines.size(), from + c.between(1, 6));
  const std::vector<std::string> again(d.lines.begin() + static_cast<std::ptrdiff_t>(from),
                                       d.lines.begin() + static_cast<std::ptrdiff_t>(to));
  const auto at = to + c.below(d.lines.size() - to + 1);
  d.lines.insert(d.lines.begin() + static_cast<std::ptrdiff_t>(at), again.begin(), again.end());
}

/// Another time or another node in one of its lines.
void change_word(hunted_drill& d, chance& c) {
  auto& line = d.lines[c.below(d.lines.size())];
  std::string made;
  bool changed = false;
  for (std::size_t at = 0; at < line.size();) {
    const auto end = std::min(line.find(' ', at), line.size());
    auto word = line.substr(at, end - at);
    const bool colon = word.ends_with(':');
    if (colon) word.pop_back();
    const bool digit = !word.empty() && word[0] >= '0' && word[0] <= '9';
    const auto n = parse_count(word);
    if (!changed && at > 0 && digit && c.percent(60)) {
      drill_setting s{.nodes = d.nodes, .longest = 40s};
      const auto other =
          n ? (*n < d.nodes ? fill_pattern("{node}", s, c) : std::nullopt)
            : (parse_duration(word) && !word.ends_with('%') ? fill_pattern("{time}", s, c)
                                                            : std::nullopt);
      if (other) {
        word = *other;
        changed = true;
      }
    }
    made += (made.empty() ? "" : " ") + word + (colon ? ":" : "");
    at = end + 1;
  }
  line = made;
}

quorum_rule random_quorum(chance& c) {
  return c.percent(70)
             ? quorum_rule::lock
             : c.of<quorum_rule>({quorum_rule::majority, quorum_rule::majority, quorum_rule::none});
}

/// Checks know a write by its value.
void make_values_differ(hunted_drill& d, chance& c) {
  std::set<std::string> seen;
  const auto fresh = [&](const std::string& value) {
    return seen.insert(value).second ? value : fmt::format("h{:08x}", c.number() & 0xffffffff);
  };
  for (auto& l : d.lines) {
    auto words = split_words(l).value_or(std::vector<std::string>{});
    if (words.size() < 4) continue;
    if (words[1] == "write" || words[1] == "store") {
      if (words.size() < 5) continue;
      words[4] = fresh(words[4]);
    } else if (words[1] == "transact") {
      for (std::size_t i = 3; i < words.size(); ++i)
        if (const auto sign = words[i].find('='); sign != std::string::npos)
          words[i] = words[i].substr(0, sign + 1) + fresh(words[i].substr(sign + 1));
    } else
      continue;
    if (std::ranges::any_of(
            words, [](const auto& w) { return w.find_first_of(" '\"#") != std::string::npos; }))
      continue;
    l = fmt::format("{}", fmt::join(words, " "));
  }
}

}  // namespace

std::string hunted_drill::text() const {
  const auto rule =
      quorum == quorum_rule::lock ? std::string() : fmt::format(" quorum={}", name(quorum));
  auto all = fmt::format("cluster nodes={}{}{}{}\n", nodes, cluster_lock ? " lock=yes" : "", rule,
                         record_table ? "" : " RecordTable=0");
  for (const auto& l : lines) all += (always_possible(l) ? "" : "try ") + l + "\n";
  return all;
}

std::optional<hunt_scope> hunt_scope_named(std::string_view name) {
  if (name == "all") return hunt_scope::all;
  if (name == "lock") return hunt_scope::lock;
  if (name == "majority") return hunt_scope::majority;
  return std::nullopt;
}

void keep_to(hunt_scope scope, hunted_drill& d) {
  switch (scope) {
    case hunt_scope::all: return;
    case hunt_scope::lock:
      d.cluster_lock = true;
      d.quorum = quorum_rule::lock;
      // where two hold it anything may be lost, and nothing is learned
      std::erase_if(d.lines,
                    [](const std::string& l) { return l == "lock stolen" || l == "lock taken"; });
      return;
    case hunt_scope::majority: d.quorum = quorum_rule::majority; return;
  }
}

hunted_drill compose_drill(chance& c) {
  hunted_drill d{.nodes = c.of<std::size_t>({1, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 9}),
                 .cluster_lock = c.percent(50),
                 .record_table = c.percent(75),
                 .lines = {}};
  drill_setting s{.nodes = d.nodes,
                  .cluster_lock = d.cluster_lock,
                  .longest = c.of<duration>({1ms, 100ms, 1s, 4s, 15s, 45s})};
  for (auto n = 1 + c.below(4); n > 0; --n)
    d.lines.push_back(
        *fill_pattern(c.of<const char*>({"attach {+volatile}", "attach {+volatile}",
                                         "attach {+volatile}", "attach {+transactional} persistent",
                                         "attach {+transactional} replicated"}),
                      s, c));
  // swarm: what is left out gives the rest more room
  std::vector<const verb*> verbs;
  const auto share = static_cast<unsigned>(10 + c.below(50));
  for (const auto* v : usable_verbs()) {
    const bool load = v->name == std::string_view("workload"),
               wait = v->name == std::string_view("wait");
    if (load || wait || c.percent(share)) verbs.push_back(v);
    if (wait) verbs.insert(verbs.end(), 1 + verbs.size() / 4, v);
    for (int tries = 0; load && tries < 3; ++tries)
      if (auto l = fill_pattern(c.of(v->uses), s, c); l && c.percent(60)) d.lines.push_back(*l);
  }
  for (auto n = 3 + c.below(22); n > 0; --n)
    if (auto l = random_line(verbs, s, c); l && waited(d.lines) < longest_story)
      d.lines.push_back(*l);
  d.quorum = random_quorum(c);
  return d;
}

hunted_drill mutate_drill(const hunted_drill& one, const hunted_drill& other, chance& c) {
  auto d = one;
  for (auto n = 1 + c.below(3); n > 0; --n) {
    if (d.lines.empty()) return compose_drill(c);
    switch (c.below(8)) {
      case 0:
      case 1:
      case 2: insert_lines(d, c); break;
      case 3: leave_out_lines(d, c); break;
      case 4: do_again(d, c); break;
      case 5: change_word(d, c); break;
      case 6: std::swap(d.lines[c.below(d.lines.size())], d.lines[c.below(d.lines.size())]); break;
      case 7:
        if (c.percent(50)) {
          if (c.percent(50))
            d.cluster_lock = !d.cluster_lock;
          else
            d.nodes = std::min<std::size_t>(9, d.nodes + 1);
          d.quorum = random_quorum(c);
          break;
        }
        d.nodes = std::max(d.nodes, other.nodes);
        d.cluster_lock |= other.cluster_lock;
        d.quorum = other.quorum;
        d.lines.resize(c.below(d.lines.size() + 1));
        d.lines.insert(d.lines.end(), other.lines.begin(), other.lines.end());
        break;
    }
  }
  if (d.lines.empty()) return compose_drill(c);
  if (d.lines.size() > most_lines) d.lines.resize(most_lines);
  while (waited(d.lines) > longest_story)
    std::erase_if(d.lines, [&, once = false](const std::string& l) mutable {
      const bool this_one = !once && first_word(l) == "wait" && c.percent(50);
      once |= this_one;
      return this_one;
    });
  make_values_differ(d, c);
  return d;
}

namespace {

void flatten(const std::vector<statement>& body, std::vector<std::string>& into, chance& c) {
  // promises; and what makes sense only in the order of its story
  constexpr std::array<std::string_view, 7> of_the_story{"lossless", "expect", "mark", "add",
                                                         "delete",   "detach", "crowd"};
  for (const auto& s : body) {
    if (s.is == verb::kind::repeat) flatten(s.blocks[0], into, c);
    if (s.is == verb::kind::one_of) flatten(c.of(s.blocks), into, c);
    if (s.is != verb::kind::plain) continue;
    const auto text = s.may_fail ? s.text.substr(4) : s.text;
    if (std::ranges::find(of_the_story, first_word(text)) == of_the_story.end())
      into.push_back(text);
  }
}

}  // namespace

hunted_drill taken_from(const script& s, chance& c) {
  hunted_drill d{.nodes = s.nodes,
                 .cluster_lock = s.cluster_lock,
                 .quorum = s.quorum,
                 .record_table = c.percent(75),
                 .lines = {}};
  flatten(s.body, d.lines, c);
  return d;
}

script readable(hunted_drill& d, const std::string& name) {
  while (true) {
    auto s = read_script(name, d.text());
    // all of it may have been about what is not there
    if (s && s->body.empty()) {
      d.lines = {"wait 1s"};
      continue;
    }
    if (s) return std::move(*s);
    // "NAME:LINE: ..."; the first line is that of the cluster
    const auto rest = std::string_view(s.error()).substr(name.size() + 1);
    const auto line = parse_count(rest.substr(0, rest.find(':')));
    assert(line && *line >= 1);
    if (d.lines.empty() || *line < 2 || *line > d.lines.size() + 1) {
      d.lines = {"wait 1s"};
      continue;
    }
    d.lines.erase(d.lines.begin() + static_cast<std::ptrdiff_t>(*line) - 2);
  }
}

}  // namespace floe::cli::drill
