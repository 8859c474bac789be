/// floe check-config: reads a node's files as `floe node` would, says all that is wrong with them, and, if the node runs,
/// where it differs from the other nodes of its cluster in what must be equal everywhere.
#include <fmt/format.h>

#include "cli/cluster/pid_file.hpp"
#include "cli/command/all.hpp"
#include "cli/config/compare_nodes.hpp"
#include "cli/config/node_files.hpp"
#include "cli/context.hpp"
#include "cli/json_list.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"

namespace floe::cli {
namespace {

struct findings : differences {
  std::size_t compared = 0;  ///< other nodes that were asked
};

void compare_with_others(context& c, const node_setup& setup, findings& f) {
  if (!pid_file::holder(setup.pid_file)) return;
  auto connection = blocking_client::connect(setup.config.socket, c.patience());
  if (!connection)
    return f.warnings.push_back(
        "the node runs and does not answer: nothing was compared with other nodes");
  const auto map = connection->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map)
    return f.warnings.push_back(
        "the node does not tell who is connected: nothing was compared with other nodes");
  for (const auto& n : map->value.nodes) {
    if (n.pnn == setup.config.self || (n.flags & node_flag::deleted)) continue;
    if (n.flags & node_flag::disconnected) {
      f.warnings.push_back(
          fmt::format("node {}: not connected, so nothing was compared with it; give its own "
                      "directory to check-config there",
                      number(n.pnn)));
      continue;
    }
    compare_with(*connection, n.pnn, setup, c.patience(), f);
    ++f.compared;
  }
}

int report(const context& c, const findings& f) {
  if (c.options.json) {
    auto j = open_json("check-config");
    j.boolean("good", f.errors.empty());
    j.number("compared", f.compared);
    for (const auto* part : {"errors", "warnings"}) {
      j.begin_list(part);
      for (const auto& line : std::string_view(part) == "errors" ? f.errors : f.warnings)
        j.text("", line);
      j.end();
    }
    print_json(std::move(j));
    return f.errors.empty() ? done : says_no;
  }
  for (const auto& e : f.errors) print_line(paint(style::bad, "error    ") + e, 9);
  for (const auto& w : f.warnings) print_line(paint(style::warn, "warning  ") + w, 9);
  const auto with =
      f.compared == 0 ? std::string() : ", compared with " + count_text(f.compared, "other node");
  print_line(f.errors.empty() ? fmt::format("good: a node starts with these files{}", with)
                              : fmt::format("{} to mend{}", f.errors.size(), with));
  return f.errors.empty() ? done : says_no;
}

/// The settings that there are, not those of a node: floe.conf(5) is made from them.
int list_settings(const context& c) {
  if (!c.options.json) {
    table t({{"SECTION"}, {"SETTING"}, {"VALUE"}, {"DEFAULT"}, {"WHAT IT DOES"}});
    for (const auto& s : all_settings())
      t.row({std::string(s.section), std::string(s.name), std::string(s.form), std::string(s.usual),
             s.idle ? fmt::format("no effect: {}", s.idle) : std::string(s.meaning)});
    print(t.text());
    return done;
  }
  auto j = open_json("check-config");
  put_objects(j, "settings", all_settings(), [&j](const auto& s) {
    j.text("section", s.section);
    j.text("name", s.name);
    j.text("form", s.form);
    j.text("default", s.usual);
    j.text("meaning", s.meaning);
    put_text_or_null(j, "no_effect", s.idle);
  });
  print_json(std::move(j));
  return done;
}

int run_check_config(context& c, const arguments& given) {
  if (given.has("--settings")) return list_settings(c);
  const auto base = given.has("DIR") ? given["DIR"] : c.options.base;
  findings f;
  if (auto setup = check_node_directory(base)) {
    f.warnings = setup->warnings;
    compare_with_others(c, *setup, f);
  } else {
    f.errors = std::move(setup.error());
  }
  return report(c, f);
}

}  // namespace

command check_config_command() {
  return {.name = "check-config",
          .group = "Start",
          .summary =
              "say all that is wrong with a node's files (4 if anything), and where other nodes "
              "have it otherwise",
          .example = "floe check-config /etc/ctdb",
          .positionals =
              {{"DIR",
                "the directory of the node; without it --base, or the places of the distribution",
                false}},
          .options = {{"--settings", nullptr, "only list the settings that ctdb.conf may have"}},
          .run = run_check_config};
}

}  // namespace floe::cli
