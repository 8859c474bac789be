/// What can be waited for and expected.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "cli/drill/language/condition_measures.hpp"
#include "cli/drill/language/verb.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"
#include "cli/suggest.hpp"
#include "protocol/constants.hpp"

namespace floe::cli::drill {
namespace {

constexpr std::array<std::string_view, 4> states{"thawed", "freezing", "frozen", "in_transaction"};

test normal(line_parser& w) {
  std::vector<node_ref> nodes;
  if (w.take("on")) nodes = w.nodes();
  return [nodes](drill_run& s) -> outcome {
    const auto those = resolve(s, nodes);
    if (!those) return failed_because(those.error());
    if (const auto why = s.not_normal(*those)) return failed_because(*why);
    return {};
  };
}

test active(line_parser&) {
  return [](drill_run& s) -> outcome {
    for (std::size_t n = 0; n < s.cluster().size(); ++n)
      if (s.report_of(n).fresh && !s.report_of(n).normal_mode) return {};
    return failed_because("all nodes are in recovery mode NORMAL");
  };
}

test held(line_parser& w) {
  w.needs(ability::held_recoveries);
  return [](drill_run& s) -> outcome {
    for (std::size_t n = 0; n < s.cluster().size(); ++n)
      if (s.report_of(n).fresh && !s.report_of(n).held.empty()) return {};
    return failed_because("no recovery is held");
  };
}

test writes(line_parser& w) {
  w.expect("above");
  const auto n = w.count(0, 1'000'000'000, "a number");
  return [n](drill_run& s) -> outcome {
    if (s.writes > n) return {};
    return failed_because(fmt::format("the workloads have written {} records", s.writes));
  };
}

test flag_seen(line_parser& w, std::vector<node_ref> node) {
  static constexpr std::array<std::pair<std::string_view, std::uint32_t>, 8> flags{
      {{"disconnected", node_flag::disconnected},
       {"banned", node_flag::banned},
       {"stopped", node_flag::stopped},
       {"disabled", node_flag::permanently_disabled},
       {"unhealthy", node_flag::unhealthy},
       {"catching-up", node_flag::catching_up},
       {"deleted", node_flag::deleted},
       {"connected", 0}}};
  const auto word = w.peek();
  const auto f = std::ranges::find(flags, word, &std::pair<std::string_view, std::uint32_t>::first);
  if (f == flags.end()) {
    w.miss(
        "connected, disconnected, banned, stopped, disabled, unhealthy, catching-up, deleted or "
        "leading");
    return nullptr;
  }
  w.take(word);
  return [node = std::move(node), bit = f->second, word = f->first](drill_run& s) -> outcome {
    const auto those = resolve(s, node);
    if (!those) return failed_because(those.error());
    for (const auto n : *those)
      for (std::size_t by = 0; by < s.cluster().size(); ++by) {
        const auto& l = s.report_of(by);
        if (std::ranges::find(*those, by) != those->end() || !l.fresh) continue;
        const bool yes =
            bit ? (l.flags_of(n) & bit) != 0 : (l.flags_of(n) & node_flag::disconnected) == 0;
        if (!yes)
          return failed_because(fmt::format("node {} is not {} as node {} sees it", n, word, by));
      }
    return {};
  };
}

test node_condition(line_parser& w) {
  auto nodes = w.nodes(true);
  if (!w.take("leading")) return flag_seen(w, std::move(nodes));
  return [nodes](drill_run& s) -> outcome {
    const auto those = resolve(s, nodes);
    if (!those) return failed_because(those.error());
    const auto leader = s.leader();
    if (leader && *leader == those->front()) return {};
    return failed_because(leader ? fmt::format("node {} leads", *leader) : "nobody leads");
  };
}

test client_condition(line_parser& w) {
  const auto name = w.client();
  const bool waits = w.take("waits");
  if (waits)
    w.expect("for");
  else
    w.expect("has");
  const auto db = w.database();
  const auto key = w.word("a key");
  return [=](drill_run& s) -> outcome {
    if (!s.has_client(name)) return failed_because(name + " has ended");
    const auto& c = s.client(name);
    const bool has = c.holds(db, key), waiting = c.waits_for(db, key);
    if (waits ? waiting : has) return {};
    return failed_because(fmt::format("{} {} {}/{}", name,
                                      has       ? "has"
                                      : waiting ? "waits for"
                                                : "neither has nor waits for",
                                      db, key));
  };
}

test database_condition(line_parser& w) {
  w.needs(ability::database_states);
  const auto db = w.database();
  if (w.error()) return nullptr;
  if (std::ranges::find(states, w.peek()) == states.end()) return record_condition(w, db);
  const std::string state(w.peek());
  w.take(state);
  std::vector<node_ref> nodes;
  if (w.take("on") && !w.take("all")) nodes = w.nodes();
  return [=](drill_run& s) -> outcome {
    auto those = resolve(s, nodes);
    if (!those) return failed_because(those.error());
    if (nodes.empty())
      for (std::size_t n = 0; n < s.cluster().size(); ++n)
        if (s.cluster().responsive(n)) those->push_back(n);
    for (const auto n : *those) {
      const auto* d = s.report_of(n).fresh ? s.report_of(n).database(db) : nullptr;
      if (!d) return failed_because(fmt::format("node {} does not know {}", n, db));
      if (d->state != state)
        return failed_because(fmt::format("{} is {} on node {}", db, d->state, n));
      // thawed means: serves. Before its recovery a database that was never frozen serves nobody.
      if (state == "thawed" && d->generation != s.report_of(n).generation)
        return failed_because(fmt::format("{} has not been recovered on node {}", db, n));
    }
    return {};
  };
}

/// What is no condition is taken for a database that is not there; who is misspelt is looked for among all that may stand there.
std::string no_condition(const line_parser& w) {
  std::vector<std::string_view> words(w.names.databases.begin(), w.names.databases.end());
  words.insert(words.end(), w.names.clients.begin(), w.names.clients.end());
  for (const auto& c : all_conditions())
    if (const std::string_view form = c.form; std::islower(static_cast<unsigned char>(form[0])))
      words.push_back(form.substr(0, form.find(' ')));
  const auto near = closest(w.peek(), words);
  return fmt::format("no line above attaches a database `{}`{}", w.peek(),
                     near ? fmt::format("; did you mean {}?", *near) : std::string());
}

}  // namespace

const std::vector<condition>& all_conditions() {
  static const std::vector<condition> all{
      {"normal [on NODES]",
       "recovery mode NORMAL, one generation, all databases thawed, everybody connected", "normal"},
      {"active", "some node is in recovery mode ACTIVE", "active"},
      {"held", "a recovery waits in the phase that `hold` named", "held"},
      {"DB STATE [on NODES|on all]",
       "a database is thawed, freezing, frozen or in_transaction on these nodes, or on all that "
       "run",
       "brlock.tdb thawed on all"},
      {"node NODES connected|disconnected|banned|stopped|disabled|unhealthy|catching-up|deleted",
       "all others that can answer see them so", "node 2 disconnected"},
      {"node NODE leading", "most nodes take it for their leader", "node 0 leading"},
      {"NAME has DB KEY", "a client holds a lock", "smbd has brlock.tdb b9"},
      {"NAME waits for DB KEY", "a client has asked for a lock and not got it",
       "smbd waits for brlock.tdb b9"},
      {"writes above N", "workloads have written more records than that", "writes above 100"},
      {"DB KEY is VALUE|absent [on NODE]",
       "what clients of this node, or of every node that runs, read there",
       "locking.tdb l7 is absent on 2"},
      {"records of DB above|below|are N [on NODE]",
       "how many records that node, or every node that runs, has of a database",
       "records of locking.tdb above 10 on 0"},
      {"migrations of DB pending|resent above|below|are N",
       "records on their way to a node, or asked for again since it started; over all nodes",
       "migrations of locking.tdb pending are 0"},
      {"recoveries above|below|are N", "recoveries that were started since the last `mark`",
       "recoveries below 4"},
      {"longest pause of DB|any below|above DURATION",
       "how long a database served nobody on a node that ran, since the last `mark`",
       "longest pause of brlock.tdb below 100ms"},
      {"longest wait below|above DURATION",
       "how long a client waited for an answer, since the last `mark`", "longest wait below 5s"},
      {"failures above|below|are N",
       "operations of clients since the beginning that were refused, or have an unknown end",
       "failures below 10"},
      {"log of node NODE has TEXT", "the node has logged this since the last `mark`",
       "log of node 1 has 'recovery-mode normal->active'"},
      {"nobody banned", "no node that can answer takes another, or itself, for banned",
       "nobody banned"},
      {"not CONDITION", "the opposite", "not node 1 leading"},
  };
  return all;
}

test read_condition(line_parser& w) {
  if (w.take("not")) {
    auto inner = read_condition(w);
    return [inner = std::move(inner)](drill_run& s) -> outcome {
      if (!inner(s)) return {};
      return failed_because("it is so");
    };
  }
  if (w.take("normal")) return normal(w);
  if (w.take("active")) return active(w);
  if (w.take("held")) return held(w);
  if (w.take("writes")) return writes(w);
  if (w.take("node")) return node_condition(w);
  if (auto other = read_measure(w)) return *other;
  if (w.names.knows_client(w.peek())) return client_condition(w);
  if (w.peek().empty()) {
    w.miss("a condition");
    return nullptr;
  }
  const auto& databases = w.names.databases;
  if (std::ranges::find(databases, w.peek()) == databases.end()) {
    w.fail(no_condition(w));
    return nullptr;
  }
  return database_condition(w);
}

}  // namespace floe::cli::drill
