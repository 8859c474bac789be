#include "cli/drill/language/condition_measures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe::cli::drill {
namespace {

enum class relation : std::uint8_t { above, below, are };

relation read_relation(line_parser& w, bool exactly) {
  if (w.take("above")) return relation::above;
  if (w.take("below")) return relation::below;
  if (exactly && (w.take("are") || w.take("is"))) return relation::are;
  w.miss(exactly ? "above, below or are" : "above or below");
  return relation::are;
}

bool holds(std::int64_t value, relation r, std::int64_t bound) {
  switch (r) {
    case relation::above: return value > bound;
    case relation::below: return value < bound;
    case relation::are: return value == bound;
  }
  return false;
}

struct bound {
  relation how;
  std::int64_t value;
};

bound read_count(line_parser& w) {
  const auto how = read_relation(w, true);
  return {how, static_cast<std::int64_t>(w.count(0, 1'000'000'000, "a number"))};
}
bound read_time(line_parser& w) {
  const auto how = read_relation(w, false);
  return {how, in_us(w.time())};
}

std::string time_text(time_us t) { return age_text(static_cast<double>(t) / 1000); }

std::vector<std::size_t> running(drill_run& s) {
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n < s.cluster().size(); ++n)
    if (s.cluster().responsive(n)) all.push_back(n);
  return all;
}

/// The node that is named, or all that run.
std::expected<std::vector<std::size_t>, std::string> wanted(drill_run& s, const node_ref& on) {
  if (!on) return running(s);
  const auto n = resolve(s, on);
  if (!n) return std::unexpected(n.error());
  return std::vector{*n};
}

test records(line_parser& w) {
  w.needs(ability::database_states);
  w.expect("of");
  const auto db = w.database();
  const auto b = read_count(w);
  const auto on = w.take("on") ? w.node() : node_ref{};
  return [=](drill_run& s) -> outcome {
    const auto those = wanted(s, on);
    if (!those) return failed_because(those.error());
    for (const auto n : *those) {
      const auto* d = s.report_of(n).fresh ? s.report_of(n).database(db) : nullptr;
      if (!d) return failed_because(fmt::format("node {} does not know {}", n, db));
      if (!holds(static_cast<std::int64_t>(d->records), b.how, b.value))
        return failed_because(fmt::format("node {} has {} records of {}", n, d->records, db));
    }
    return {};
  };
}

test migrations(line_parser& w) {
  w.needs(ability::database_states);
  w.expect("of");
  const auto db = w.database();
  const bool resent = w.take("resent");
  if (!resent && !w.take("pending")) w.miss("pending or resent");
  const auto b = read_count(w);
  return [=](drill_run& s) -> outcome {
    std::uint64_t all = 0;
    for (const auto n : running(s))
      if (const auto* d = s.report_of(n).fresh ? s.report_of(n).database(db) : nullptr)
        all += resent ? d->migrations_resent : d->migrations_pending;
    if (holds(static_cast<std::int64_t>(all), b.how, b.value)) return {};
    return failed_because(
        fmt::format("{} migrations of {} {}", all, db, resent ? "were sent again" : "are pending"));
  };
}

test recoveries(line_parser& w) {
  const auto b = read_count(w);
  return [=](drill_run& s) -> outcome {
    const auto n =
        std::ranges::count_if(s.seen.recovery_runs, [&](time_us at) { return at >= s.marked; });
    if (holds(n, b.how, b.value)) return {};
    return failed_because(fmt::format("{} recoveries were started", n));
  };
}

test failures(line_parser& w) {
  const auto b = read_count(w);
  return [=](drill_run& s) -> outcome {
    if (holds(static_cast<std::int64_t>(s.failures), b.how, b.value)) return {};
    return failed_because(fmt::format("{} operations of clients have failed", s.failures));
  };
}

test longest_pause(line_parser& w) {
  w.needs(ability::database_states);
  w.expect("of");
  const auto db = w.take("any") ? std::string() : w.database();
  const auto b = read_time(w);
  return [=](drill_run& s) -> outcome {
    time_us longest = 0;
    std::string where = "no database was closed";
    const auto look = [&](std::size_t node, const std::string& name, time_us from, time_us to) {
      if ((!db.empty() && name != db) || to < s.marked || to - from <= longest) return;
      longest = to - from;
      where = fmt::format("{} was closed for {} on node {}, from {}", name, time_text(longest),
                          node, at_text(from));
    };
    for (const auto& f : s.seen.frozen) look(f.node, f.db, f.from, f.to);
    for (const auto& [place, since] : s.logs().closed())
      look(place.first, place.second, since, s.now());
    if (holds(longest, b.how, b.value)) return {};
    return failed_because(where);
  };
}

test longest_wait(line_parser& w) {
  const auto b = read_time(w);
  return [=](drill_run& s) -> outcome {
    time_us longest = 0;
    std::string where = "nobody has waited";
    for (const auto& o : s.past.ops) {
      const auto end = std::min(o.end, s.now());
      if (o.begin < s.marked || end - o.begin <= longest) continue;
      longest = end - o.begin;
      where = fmt::format("{} waited {} for {} on node {}, from {}", o.client, time_text(longest),
                          record_text(o), o.node, at_text(o.begin));
    }
    if (holds(longest, b.how, b.value)) return {};
    return failed_because(where);
  };
}

test log_has(line_parser& w) {
  w.expect("of");
  w.expect("node");
  const auto node = w.node();
  w.expect("has");
  const auto text = w.word("a text");
  return [=](drill_run& s) -> outcome {
    const auto n = resolve(s, node);
    if (!n) return failed_because(n.error());
    if (s.logs().said(*n, text, s.marked)) return {};
    return failed_because(fmt::format("node {} has logged nothing with \"{}\"", *n, text));
  };
}

test nobody_banned(line_parser& w) {
  w.expect("banned");
  return [](drill_run& s) -> outcome {
    for (const auto by : running(s))
      for (std::size_t n = 0; n < s.cluster().size(); ++n)
        if (s.report_of(by).fresh && (s.report_of(by).flags_of(n) & node_flag::banned))
          return failed_because(fmt::format("node {} is banned as node {} sees it", n, by));
    return {};
  };
}

}  // namespace

test record_condition(line_parser& w, const std::string& db) {
  const auto key = w.word("thawed, freezing, frozen or in_transaction, or a key");
  if (!w.take("is")) {
    w.fail(
        fmt::format("expected thawed, freezing, frozen or in_transaction, or KEY is VALUE, after "
                    "`{}`, found `{}`",
                    db, key));
    return nullptr;
  }
  const auto value = w.take("absent") ? std::string() : w.word("a value, or absent");
  const auto on = w.take("on") ? w.node() : node_ref{};
  return [=](drill_run& s) -> outcome {
    const auto those = wanted(s, on);
    if (!those) return failed_because(those.error());
    for (const auto n : *those) {
      const auto is = s.value_of(n, db, key);
      if (!is) return failed_because(is.error());
      if (*is != value)
        return failed_because(fmt::format("{}/{} is {} on node {}", db, key,
                                          is->empty() ? "absent" : "\"" + *is + "\"", n));
    }
    return {};
  };
}

std::optional<test> read_measure(line_parser& w) {
  if (w.take("records")) return records(w);
  if (w.take("migrations")) return migrations(w);
  if (w.take("recoveries")) return recoveries(w);
  if (w.take("failures")) return failures(w);
  if (w.take("log")) return log_has(w);
  if (w.take("nobody")) return nobody_banned(w);
  if (!w.take("longest")) return std::nullopt;
  if (w.take("pause")) return longest_pause(w);
  if (w.take("wait")) return longest_wait(w);
  w.miss("pause or wait");
  return test{};
}

}  // namespace floe::cli::drill
