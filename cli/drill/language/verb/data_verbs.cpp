/// Databases and what is in them.
#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"
#include "cli/suggest.hpp"

#include <fmt/format.h>

namespace floe::cli::drill {
namespace {

/// Behind the names of databases a word like one of these is a mistake.
const std::vector<std::string_view> kinds{"persistent", "replicated", "volatile"};

action read_attach(line_parser& w) {
  std::vector<std::string> names;
  node_ref on;
  auto kind = db_kind::volatile_db;
  while (!w.at_end()) {
    if (w.take("persistent")) {
      kind = db_kind::persistent;
      continue;
    }
    if (w.take("replicated")) {
      kind = db_kind::replicated;
      continue;
    }
    if (w.take("on")) {
      on = w.node();
      break;
    }
    if (const auto near =
            names.empty() || w.peek().contains('.') ? std::nullopt : closest(w.peek(), kinds);
        near) {
      w.fail(fmt::format("`{}` is no name of a database here: did you mean {}?", w.peek(), *near));
      break;
    }
    names.push_back(w.word("a database"));
    w.names.databases.push_back(names.back());
  }
  if (names.empty()) w.miss("the name of a database");
  if (kind != db_kind::volatile_db) w.names.transactional.insert(names.begin(), names.end());
  return [names, on, kind](drill_run& s) -> outcome {
    std::size_t node = 0;
    if (on) {
      const auto n = resolve(s, on);
      if (!n) return failed_because(n.error());
      node = *n;
    } else
      while (node + 1 < s.cluster().size() && !s.cluster().responsive(node)) ++node;
    for (const auto& name : names)
      if (auto done = s.attach(name, node, kind); !done) return done;
    return {};
  };
}

/// Hundreds at once, for drills about many databases.
action read_crowd(line_parser& w) {
  const auto n = w.count(1, 5000, "a number of databases");
  const auto prefix = w.word("the beginning of their names");
  for (std::uint64_t i = 0; i < n; ++i)
    w.names.databases.push_back(fmt::format("{}{}.tdb", prefix, i));
  return [n, prefix](drill_run& s) -> outcome {
    for (std::uint64_t i = 0; i < n; ++i)
      if (auto done = s.attach(fmt::format("{}{}.tdb", prefix, i), i % s.cluster().size(),
                               db_kind::volatile_db);
          !done)
        return done;
    return {};
  };
}

action read_fill(line_parser& w) {
  const auto db = w.volatile_database();
  const auto records = w.count(1, 1'000'000, "how many records, a number");
  w.expect("records");
  std::uint64_t size = 16;
  if (w.take("of")) size = w.size();
  return [db, records, size](drill_run& s) { return s.fill(db, records, size); };
}

}  // namespace

std::vector<verb> data_verbs() {
  return {
      {.name = "attach",
       .group = "Data",
       .arguments = "DB ... [persistent|replicated] [on NODE]",
       .summary = "make databases, by the word of one node; volatile ones if nothing else is said",
       .example = "attach locking.tdb brlock.tdb",
       .read = read_attach,
       .uses = {"attach {+volatile}", "attach {+transactional} persistent on {node}",
                "attach {+transactional} replicated"}},
      {.name = "crowd",
       .group = "Data",
       .arguments = "N PREFIX",
       .summary = "attach many databases: PREFIX0.tdb, PREFIX1.tdb and so on",
       .example = "crowd 1000 share",
       .read = read_crowd},
      {.name = "fill",
       .group = "Data",
       .arguments = "DB N records [of SIZE]",
       .summary =
           "write records r0, r1 ... through clients of all nodes, so that every node owns some",
       .example = "fill locking.tdb 200 records of 1kB",
       .read = read_fill,
       .uses = {"fill {volatile} {1-100} records of {16-4000}"}}};
}

}  // namespace floe::cli::drill
