/// database N does=HOW [times=N]: how the recovery of this database ends in a recovery of the cluster, instead of well, from
/// now on. HOW is `goes_on` (it does not end), `held` (at the freeze), `conflicts`, or `fails` (node 2 does not answer the
/// freeze); `committed` behind these: on some node. `does=well` ends all of it.
#include <algorithm>

#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/cluster_recovery_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  auto& r = w.as<cluster_recovery_machine>("database");
  database_end e;
  parse(said.next("the database"), e.db);
  const auto how = said.option("does");
  if (!how) throw mistake("database: does=HOW is missing");
  e.how.committed = said.flag("committed");
  if (auto v = said.option("times")) parse(*v, e.left);
  const auto blame = [&](evidence why) {
    why.db = e.db;
    e.how.failures = {std::move(why)};
  };
  if (*how == "well") {
    std::erase_if(r.ends, [&](const database_end& x) { return x.db == e.db; });
    return {};
  }
  if (*how == "goes_on") {
    e.does = database_end::kind::goes_on;
  } else if (*how == "held") {
    e.does = database_end::kind::held;
  } else if (*how == "conflicts") {
    e.how.conflict = true;
    blame({.cause = failure_cause::name_conflict, .step = "names", .detail = "a on 0; b on 1"});
  } else if (*how == "fails") {
    blame({.node = pnn{2}, .cause = failure_cause::timed_out, .step = "freeze", .credit = true});
  } else {
    throw mistake("\"" + *how + "\" is none of well goes_on held conflicts fails");
  }
  r.ends.push_back(std::move(e));
  return {};
}

extern const verb database_verb{
    "database", "database N does=goes_on|held|conflicts|fails|well [committed] [times=N]", run};

}  // namespace floe::rule_script
