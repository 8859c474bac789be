/// Load: clients that work while things go wrong.
#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/duration_text.hpp"
#include "cli/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace floe::cli::drill {
namespace {

std::vector<std::string> pieces(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    all.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

constexpr std::array<std::string_view, 6> deeds{"write", "read",     "delete",
                                                "move",  "transact", "look"};

bool fits(std::string_view deed, bool transactional) {
  if (deed == "read") return true;
  return (deed == "transact" || deed == "look") == transactional;
}

/// Each database has something in the mix, and what it has nothing for is told.
void check_mix(line_parser& w, workload_options& o) {
  for (const auto& db : o.databases) {
    const bool t = w.names.transactional.contains(db);
    if (t) o.transactional.insert(db);
    if (!o.mix.empty() && std::ranges::none_of(o.mix, [&](const auto& d) { return fits(d, t); }))
      w.fail(fmt::format("nothing in the mix can be done to {}: expected {}", db,
                         t ? "transact, look or read" : "write, read, delete or move"));
  }
  for (const auto& d : o.mix)
    if (std::ranges::none_of(o.databases,
                             [&](const auto& db) { return fits(d, o.transactional.contains(db)); }))
      w.fail(fmt::format("mix= has {}, but no {} database is worked on", d,
                         d == "transact" || d == "look" ? "persistent or replicated" : "volatile"));
  if (!o.mix.empty()) return;
  if (o.transactional.size() < o.databases.size()) o.mix = {"write", "read"};
  if (!o.transactional.empty()) o.mix.insert(o.mix.end(), {"transact", "transact", "look"});
}

std::vector<std::size_t> read_nodes(line_parser& w, const std::string& text) {
  std::vector<std::size_t> all;
  for (const auto& p : pieces(text)) {
    const auto node = parse_count(p);
    if (!node || *node >= w.names.nodes)
      w.fail(fmt::format("on= takes numbers of nodes from 0 to {}: {}", w.names.nodes - 1, text));
    else
      all.push_back(*node);
  }
  return all;
}

void read_setting(line_parser& w, const std::string& name, const std::string& value,
                  workload_options& o) {
  if (name == "clients" || name == "keys") {
    const auto n = parse_count(value);
    if (!n || *n == 0 || *n > 10'000)
      w.fail(fmt::format("{}= takes a number from 1 to 10000: {}", name, value));
    else
      (name == "clients" ? o.clients : o.keys) = *n;
  } else if (name == "db") {
    o.databases = pieces(value);
  } else if (name == "on") {
    const auto nodes = read_nodes(w, value);
    o.nodes.insert(o.nodes.end(), nodes.begin(), nodes.end());
  } else if (name == "pause") {
    const auto d = parse_duration(value);
    if (!d)
      w.fail("pause= takes a duration such as 20ms: " + value);
    else
      o.pause = *d;
  } else if (name == "mix") {
    o.mix = pieces(value);
    for (const auto& deed : o.mix)
      if (std::ranges::find(deeds, deed) == deeds.end())
        w.fail(fmt::format("mix= takes write, read, delete, move, transact and look, found `{}`",
                           deed));
  } else {
    static constexpr std::array<std::string_view, 6> names{"clients", "keys",  "db",
                                                           "on",      "pause", "mix"};
    const auto near = closest(name, names);
    w.fail(fmt::format("expected clients=, keys=, db=, on=, pause= or mix=, found `{}=`{}", name,
                       near ? fmt::format("; did you mean {}=?", *near) : ""));
  }
}

action read_workload(line_parser& w) {
  workload_options o;
  for (const auto& [name, value] : w.settings()) read_setting(w, name, value, o);
  if (o.databases.empty()) w.fail("expected db=DB,... with the databases to work on");
  for (const auto& db : o.databases)
    if (std::ranges::find(w.names.databases, db) == w.names.databases.end())
      w.fail(fmt::format("no line above attaches a database `{}`", db));
  if (!w.error()) check_mix(w, o);
  if (!o.transactional.empty()) w.needs(ability::transactions);
  return [o](drill_run& s) -> outcome {
    auto mine = o;
    if (mine.nodes.empty())
      for (std::size_t n = 0; n < s.cluster().size(); ++n) mine.nodes.push_back(n);
    s.add_workload(std::move(mine));
    return {};
  };
}

}  // namespace

std::vector<verb> workload_verbs() {
  return {
      {.name = "workload",
       .group = "Data",
       .arguments = "db=DB,... [clients=N] [keys=N] [on=NODE,...] [pause=DURATION] "
                    "[mix=write,read,delete,move,transact,look]",
       .summary = "clients (6, spread over all nodes) that use records (20 keys of each database) "
                  "in a mix, with a pause "
                  "(20ms) between two operations; they go on until `quiet` or the end. transact "
                  "writes several records of a "
                  "persistent or replicated database at once, look reads several at once",
       .example = "workload db=locking.tdb,brlock.tdb clients=9 keys=10 mix=write,write,move",
       .read = read_workload,
       .uses =
           {"workload db={volatile} clients={1-12} keys={1-20} pause={pause} mix=write,read,move",
            "workload db={volatile} clients={1-12} keys={1-6} pause={pause} "
            "mix=write,write,move,delete",
            "workload db={volatile} clients={1-6} keys={1-40} pause={pause} "
            "mix=write,read,delete,move on={numbers}",
            "workload db={transactional} clients={1-8} keys={1-6} pause={pause} "
            "mix=transact,transact,look",
            "workload db={transactional} clients={1-8} keys={1-6} pause={pause} "
            "mix=transact,look,read on={numbers}"}},
      {.name = "quiet",
       .group = "Data",
       .arguments = "",
       .summary = "end the workloads and wait for what they have begun",
       .example = "quiet",
       .read = [](line_parser&) -> action {
         return [](drill_run& s) { return s.quiet(std::chrono::seconds(60)); };
       },
       .uses = {"quiet"}}};
}

}  // namespace floe::cli::drill
