/// Recoveries, asked for and held.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/drill/language/recovery_phases.hpp"
#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"
#include "cli/suggest.hpp"
#include "protocol/types/basic.hpp"

namespace floe::cli::drill {

namespace {

/// A phase that there is, of a database that is attached.
std::string read_phase(line_parser& w) {
  const auto text = w.word("a phase of a recovery");
  if (w.error()) return text;
  const auto at = std::min(text.find('@'), text.size());
  const std::string_view phase = std::string_view(text).substr(0, at);
  const bool of_database = std::ranges::find(database_phases(), phase) != database_phases().end();
  if (!of_database && std::ranges::find(cluster_phases(), phase) == cluster_phases().end()) {
    auto names = cluster_phases();
    names.insert(names.end(), database_phases().begin(), database_phases().end());
    const auto near = closest(phase, names);
    w.fail(near ? fmt::format("no such phase: {}; did you mean {}?", phase, *near)
                : fmt::format("no such phase: {}; a recovery has {}, and of each database {}",
                              phase, fmt::join(cluster_phases(), ", "),
                              fmt::join(database_phases(), ", ")));
  } else if (at < text.size()) {
    if (!of_database) w.fail(fmt::format("{} is no phase of a single database", phase));
    line_parser db({text.substr(at + 1)}, w.names);
    (void)db.database();
    if (db.error()) w.fail(*db.error());
  }
  return text;
}

/// Through the first node that runs.
template <class Ask>
outcome by_any(drill_run& s, Ask ask) {
  for (std::size_t n = 0; n < s.cluster().size(); ++n)
    if (s.cluster().responsive(n)) return ask(n);
  return failed_because("no node runs");
}

}  // namespace

std::vector<verb> recovery_verbs() {
  return {
      {.name = "recover",
       .group = "Recovery",
       .arguments = "[whole] [verify] [on NODE]",
       .summary = "ask for a recovery; returns when it has been asked for. whole: of every record, "
                  "not only of what has changed; verify: contents are compared afterwards",
       .example = "recover whole",
       .read = [](line_parser& w) -> action {
         const bool whole = w.take("whole"), verify = w.take("verify");
         if (whole || verify) {
           if (w.take("on"))
             return for_each_node({w.node()}, [=](drill_run& s, std::size_t n) {
               return s.ask_leader(n, whole, verify);
             });
           return [=](drill_run& s) {
             return by_any(s, [&](std::size_t n) { return s.ask_leader(n, whole, verify); });
           };
         }
         if (w.take("on"))
           return for_each_node({w.node()}, [](drill_run& s, std::size_t n) {
             return s.order(n, control::set_recmode,
                            encode_request<control::set_recmode>(recovery_mode::active));
           });
         return [](drill_run& s) {
           return by_any(s, [&](std::size_t n) {
             return s.order(n, control::set_recmode,
                            encode_request<control::set_recmode>(recovery_mode::active));
           });
         };
       },
       .uses = {"recover", "recover on {node}", "recover whole", "recover whole verify on {node}"}},
      {.name = "hold",
       .group = "Recovery",
       .arguments = "PHASE[@DB]",
       .summary = "let the next recovery wait when it comes to this phase",
       .example = "hold push@locking.tdb",
       .read = [](line_parser& w) -> action {
         w.needs(ability::held_recoveries);
         const auto phase = read_phase(w);
         return [phase](drill_run& s) { return s.hold(phase); };
       },
       .uses = {"hold {phase}", "hold {database phase}@{database}"}},
      {.name = "release",
       .group = "Recovery",
       .arguments = "",
       .summary = "let recoveries go on",
       .example = "release",
       .read = [](line_parser& w) -> action {
         w.needs(ability::held_recoveries);
         return [](drill_run& s) { return s.hold({}); };
       },
       .uses = {"release"}},
  };
}

}  // namespace floe::cli::drill
