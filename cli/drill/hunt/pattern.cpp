#include "cli/drill/hunt/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/drill/language/line_parser.hpp"
#include "cli/drill/language/recovery_phases.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t keys = 6;  ///< few, so that uses of one meet

std::string number_of_node(const drill_setting& s, chance& c) {
  return std::to_string(c.below(s.nodes));
}

std::string role(chance& c) { return c.of<std::string>({"leader", "follower", "any"}); }

std::string node(const drill_setting& s, chance& c) {
  if (c.percent(60)) return number_of_node(s, c);
  const auto named = s.lists.find("named");
  if (named != s.lists.end() && !named->second.empty() && c.percent(50)) return c.of(named->second);
  return role(c);
}

/// Some of them, each once.
std::string numbers(const drill_setting& s, chance& c) {
  std::vector<std::size_t> all(s.nodes);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  std::string text;
  for (auto left = 1 + c.below(std::max<std::size_t>(1, s.nodes - 1)); left > 0; --left) {
    const auto i = c.below(all.size());
    text += (text.empty() ? "" : ",") + std::to_string(all[i]);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return text;
}

duration pause_of_clients(const drill_setting& s, chance& c) {
  const auto least = std::max<duration>(1ms, s.longest / 100),
             most = std::max<duration>(100ms, s.longest / 20);
  return 1us * static_cast<std::int64_t>(c.between(static_cast<std::uint64_t>(least / 1us),
                                                   static_cast<std::uint64_t>(most / 1us)));
}

std::optional<std::string> one_of(std::vector<std::string>& list, bool take_out, chance& c) {
  if (list.empty()) return std::nullopt;
  const auto i = c.below(list.size());
  auto one = list[i];
  if (take_out) list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
  return one;
}

std::string new_name(std::string_view list, chance& c) {
  const auto n = c.number() % 0x10000;
  if (list == "volatile") return fmt::format("v{:x}.tdb", n);
  if (list == "transactional") return fmt::format("t{:x}.tdb", n);
  return fmt::format("{}-{:x}", list, n);
}

/// "1-30"
std::optional<std::string> number_in(std::string_view range, chance& c) {
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto least = parse_count(range.substr(0, dash)), most = parse_count(range.substr(dash + 1));
  if (!least || !most) return std::nullopt;
  return std::to_string(c.between(*least, *most));
}

std::optional<std::string> word_for(std::string_view what, drill_setting& s, chance& c) {
  if (what == "node") return node(s, c);
  if (what.starts_with("node>")) {
    auto n = node(s, c);
    // who a role means is not known here
    if (n != "leader" && n != "follower" && n != "any")
      s.lists[std::string(what.substr(5))].push_back(n);
    return n;
  }
  if (what == "number") return number_of_node(s, c);
  if (what == "numbers") return numbers(s, c);
  if (what == "nodes") return c.percent(60) ? node(s, c) : numbers(s, c);
  if (what == "role") return role(c);
  if (what == "key") return fmt::format("k{}", c.below(keys));
  if (what == "value") return fmt::format("h{:08x}", c.number() & 0xffffffff);
  if (what == "time")
    return duration_word(
        1us * static_cast<std::int64_t>(c.between(
                  10, static_cast<std::uint64_t>(std::max<duration>(s.longest, 20us) / 1us))));
  if (what == "seconds") return duration_word(1s * static_cast<std::int64_t>(c.between(1, 60)));
  if (what == "pause") return duration_word(pause_of_clients(s, c));
  if (what == "phase") return std::string(c.of(cluster_phases()));
  if (what == "database phase") return std::string(c.of(database_phases()));
  if (what == "database") {
    auto all = s.lists["volatile"];
    all.insert(all.end(), s.lists["transactional"].begin(), s.lists["transactional"].end());
    return one_of(all, false, c);
  }
  if (what.starts_with('+')) {
    const std::string list(what.substr(1));
    s.lists[list].push_back(new_name(list, c));
    return s.lists[list].back();
  }
  if (what.starts_with('-')) return one_of(s.lists[std::string(what.substr(1))], true, c);
  if (auto n = number_in(what, c)) return n;
  return one_of(s.lists[std::string(what)], false, c);
}

}  // namespace

std::string duration_word(duration d) {
  const auto us = d / 1us;
  if (us >= 1'000'000) return fmt::format("{:g}s", static_cast<double>(us / 10'000) / 100);
  if (us >= 1000) return fmt::format("{:g}ms", static_cast<double>(us / 10) / 100);
  return fmt::format("{}us", us);
}

std::optional<std::string> fill_pattern(std::string_view pattern, drill_setting& s, chance& c) {
  std::string line;
  while (!pattern.empty()) {
    const auto open = pattern.find('{'), close = pattern.find('}');
    if (open == std::string_view::npos || close == std::string_view::npos) {
      line += pattern;
      break;
    }
    line += pattern.substr(0, open);
    const auto word = word_for(pattern.substr(open + 1, close - open - 1), s, c);
    if (!word) return std::nullopt;
    line += *word;
    pattern.remove_prefix(close + 1);
  }
  return line;
}

}  // namespace floe::cli::drill
