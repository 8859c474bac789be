/// Commands of operators that change databases, settings and the list of nodes.
#include <fmt/format.h>

#include <algorithm>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"
#include "cli/suggest.hpp"
#include "protocol/hash.hpp"
#include "protocol/tunables.hpp"
#include "protocol/types/tunable_value.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::cli::drill {
namespace {

action tell_nodes(line_parser& w, control what) {
  return for_each_node(w.nodes(),
                       [what](drill_run& s, std::size_t n) { return s.order(n, what, {}); });
}

action read_setvar(line_parser& w) {
  auto nodes = w.nodes();
  const auto name = w.word("a tunable");
  if (!w.error() && !find_tunable(name)) {
    std::vector<std::string_view> names;
    for (const auto& t : all_tunables()) names.push_back(t.name);
    const auto near = closest(name, names);
    w.fail(fmt::format("no such tunable: {}{}", name,
                       near ? fmt::format("; did you mean {}?", *near) : ""));
  }
  const auto value = static_cast<std::uint32_t>(w.count(0, UINT32_MAX, "a number"));
  return for_each_node(std::move(nodes), [name, value](drill_run& s, std::size_t n) {
    return s.order(n, control::set_tunable,
                   encode_request<control::set_tunable>({.value = value, .name = name}));
  });
}

/// A property of a database, on each of the nodes until it ends.
action read_property(line_parser& w, control what) {
  auto nodes = w.nodes();
  const auto db = w.volatile_database();
  return for_each_node(std::move(nodes), [db, what](drill_run& s, std::size_t n) {
    return s.order(n, what, wire::encode(db_id_of(db)));
  });
}

action read_role(line_parser& w, control what) {
  auto nodes = w.nodes();
  const bool on = w.take("on");
  if (!on && !w.take("off")) w.miss("on or off");
  return for_each_node(std::move(nodes), [on, what](drill_run& s, std::size_t n) {
    if (!on) s.roles_off.insert({what, n});
    const auto done = s.order(n, what, wire::encode(std::uint32_t{on}));
    if (on && done) s.roles_off.erase({what, n});  // if not, at the end it is told again
    return done;
  });
}

action read_restore(line_parser& w) {
  const auto db = w.volatile_database();
  const auto records = w.count(1, 10'000'000, "how many records, a number");
  w.expect("records");
  std::uint64_t size = 16;
  if (w.take("of")) size = w.size();
  return [=](drill_run& s) { return s.restore(db, records, size); };
}

action read_detach(line_parser& w) {
  const auto db = w.volatile_database();
  std::erase(w.names.databases, db);
  return [db](drill_run& s) { return s.detach(db); };
}

action read_add(line_parser& w) {
  w.needs(ability::new_nodes);
  w.expect("node");
  if (w.names.nodes >= 16) w.fail("a cluster has 16 nodes at most");
  ++w.names.nodes;
  return [n = w.names.nodes](drill_run& s) -> outcome {
    if (s.cluster().size() + 1 != n)
      return failed_because("nodes are not added in a block that is repeated or chosen");
    return s.add_node();
  };
}

action read_delete(line_parser& w) {
  w.needs(ability::new_nodes);
  w.expect("node");
  const auto n = static_cast<std::size_t>(w.count(0, w.names.nodes - 1, "the number of a node,"));
  if (!w.names.deleted.insert(n).second)
    w.fail(fmt::format("node {} has been deleted by a line above", n));
  return [n](drill_run& s) { return s.delete_node(n); };
}

}  // namespace

std::vector<verb> admin_verbs() {
  return {
      {.name = "disable",
       .group = "Operators",
       .arguments = "NODES",
       .summary = "keep public addresses away from nodes",
       .example = "disable 2",
       .read = [](line_parser& w) { return tell_nodes(w, control::disable_node); },
       .fault = {.ends = fault_end::undone},
       .uses = {"disable {node>disabled}"}},
      {.name = "enable",
       .group = "Operators",
       .arguments = "NODES",
       .summary = "undo disable",
       .example = "enable 2",
       .read = [](line_parser& w) { return tell_nodes(w, control::enable_node); },
       .fault = {.undoes = "disable"},
       .uses = {"enable {-disabled}"}},
      {.name = "setvar",
       .group = "Operators",
       .arguments = "NODES TUNABLE N",
       .summary = "set a tunable until the node ends",
       .example = "setvar all RecoverTimeout 10",
       .read = read_setvar,
       .fault = {.ends = fault_end::at_once},
       .uses = {"setvar all RecoverTimeout {1-30}", "setvar all KeepaliveInterval {1-5}",
                "setvar all KeepaliveLimit {1-5}", "setvar all RecoverInterval {1-3}",
                "setvar all HopcountMakeSticky {1-5}", "setvar all StickyPindown {1-300}",
                "setvar all RecordTableStayMs {0-20}"}},
      {.name = "setleaderrole",
       .group = "Operators",
       .arguments = "NODES on|off",
       .summary = "whether a node may lead",
       .example = "setleaderrole 0 off",
       .read = [](line_parser& w) { return read_role(w, control::set_recmasterrole); },
       .fault = {.ends = fault_end::undone, .mended_by = "on"},
       .uses = {"setleaderrole {node} off", "setleaderrole {node} on"}},
      {.name = "setlmasterrole",
       .group = "Operators",
       .arguments = "NODES on|off",
       .summary = "whether a node may track records; from the next recovery on",
       .example = "setlmasterrole 0 off",
       .read = [](line_parser& w) { return read_role(w, control::set_lmasterrole); },
       .fault = {.ends = fault_end::undone, .mended_by = "on"},
       .uses = {"setlmasterrole {node} off", "setlmasterrole {node} on"}},
      {.name = "setdbreadonly",
       .group = "Operators",
       .arguments = "NODES DB",
       .summary = "nodes may have read-only copies of records of a volatile database",
       .example = "setdbreadonly all locking.tdb",
       .read = [](line_parser& w) { return read_property(w, control::set_db_readonly); },
       .fault = {.ends = fault_end::at_once},
       .uses = {"setdbreadonly all {volatile}", "setdbreadonly {node} {volatile}"}},
      {.name = "setdbsticky",
       .group = "Operators",
       .arguments = "NODES DB",
       .summary = "records of a volatile database that are asked for from far away are pinned down",
       .example = "setdbsticky all locking.tdb",
       .read = [](line_parser& w) { return read_property(w, control::set_db_sticky); },
       .fault = {.ends = fault_end::at_once},
       .uses = {"setdbsticky all {volatile}", "setdbsticky {node} {volatile}"}},
      {.name = "thaw",
       .group = "Operators",
       .arguments = "NODES DB",
       .summary = "thaw a volatile database on these nodes, as a tool does that has frozen it",
       .example = "thaw 0 locking.tdb",
       .read = [](line_parser& w) { return read_property(w, control::db_thaw); },
       .fault = {.ends = fault_end::at_once},
       .uses = {"thaw {node} {volatile}", "thaw all {volatile}"}},
      {.name = "wipedb",
       .group = "Operators",
       .arguments = "DB",
       .summary = "remove all records of a volatile database, on all nodes",
       .example = "wipedb locking.tdb",
       .read = [](line_parser& w) -> action {
         const auto db = w.volatile_database();
         return [db](drill_run& s) { return s.wipe(db); };
       },
       .fault = {.ends = fault_end::at_once},
       .uses = {"wipedb {volatile}"}},
      {.name = "restoredb",
       .group = "Operators",
       .arguments = "DB N records [of SIZE]",
       .summary = "make records s0, s1 ... the content of a volatile database, as from a backup; "
                  "quicker than `fill`",
       .example = "restoredb locking.tdb 1000 records of 100",
       .read = read_restore,
       .fault = {.ends = fault_end::at_once},
       .uses = {"restoredb {volatile} {1-300} records of {16-2000}"}},
      {.name = "detach",
       .group = "Operators",
       .arguments = "DB",
       .summary = "forget a volatile database and its records, on all nodes",
       .example = "detach brlock.tdb",
       .read = read_detach,
       .fault = {.ends = fault_end::at_once}},
      {.name = "add",
       .group = "Operators",
       .arguments = "node",
       .summary = "append a node to every nodes file; `start` and `reloadnodes` follow",
       .example = "add node",
       .read = read_add,
       .fault = {.ends = fault_end::at_once}},
      {.name = "delete",
       .group = "Operators",
       .arguments = "node N",
       .summary =
           "comment a node out in every nodes file; `reloadnodes` follows, when it has ended",
       .example = "delete node 2",
       .read = read_delete,
       .fault = {.ends = fault_end::at_once}},
      {.name = "reloadnodes",
       .group = "Operators",
       .arguments = "",
       .summary = "all nodes read their nodes files again",
       .example = "reloadnodes",
       .read = [](line_parser& w) -> action {
         w.needs(ability::new_nodes);
         return [](drill_run& s) { return s.reload_nodes(); };
       },
       .fault = {.ends = fault_end::at_once},
       .uses = {"reloadnodes"}},
  };
}

}  // namespace floe::cli::drill
