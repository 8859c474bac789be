/// floe health: is the node we are connected to well, by its own state, or one of its databases? For scripts and probes
/// that ask every second: one question on the Unix socket, nothing else.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/named_database.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

using json = nlohmann::json;

struct one_check {
  std::string name;
  bool good = false;
  std::string why;
};

int show(const context& c, const std::vector<one_check>& checks) {
  bool good = true;
  for (const auto& k : checks) good = good && k.good;
  if (c.options.json) {
    auto j = open_json("health");
    j.boolean("ready", good);
    j.begin_list("checks");
    for (const auto& k : checks) {
      j.begin_object();
      j.text("name", k.name);
      j.boolean("good", k.good);
      j.text("why", k.why);
      j.end();
    }
    j.end();
    print_json(std::move(j));
    return good ? done : says_no;
  }
  table t({{"CHECK"}, {""}, {"WHAT IS SO"}});
  for (const auto& k : checks)
    t.row({k.name, {k.good ? "good" : "NO", k.good ? style::good : style::bad}, k.why});
  print(t.text());
  return good ? done : says_no;
}

/// What one database is like; nothing if the node has none of that name.
std::optional<one_check> check_of_database(const json& report, const std::string& name) {
  for (const auto& d : report.value("databases", json::array())) {
    if (d.value("name", "") != name && d.value("id", "") != name) continue;
    const auto trouble = d.value("trouble", "");
    return one_check{d.value("name", ""), trouble.empty(),
                     trouble.empty() ? fmt::format("{}, {} records here", d.value("state", "?"),
                                                   d.value("records", 0))
                                     : trouble};
  }
  return std::nullopt;
}

std::vector<std::string> names_in(const json& report) {
  std::vector<std::string> names;
  for (const auto& d : report.value("databases", json::array()))
    names.push_back(d.value("name", ""));
  return names;
}

int run(context& c, const arguments& given) {
  auto node = c.node();
  if (!node) return node.error();
  const auto target = c.target();
  if (!target) return target.error();
  const auto told = (*node)->control<control::get_node_status>(*target, {}, c.patience());
  if (!told) return c.fail("health", told.error());
  const auto report = json::parse(std::string(told->value.value), nullptr, false);
  if (!report.is_object() || !report.contains("health"))
    return c.fail("the node gives no account of its health");
  if (given.has("--db")) {
    const auto one = check_of_database(report, given["--db"]);
    if (!one) return c.fail("health: " + no_such_database(given["--db"], names_in(report)));
    return show(c, {*one});
  }
  std::vector<one_check> checks;
  for (const auto& k : report["health"].value("checks", json::array()))
    checks.push_back({k.value("name", ""), k.value("good", false), k.value("why", "")});
  return show(c, checks);
}

}  // namespace

command health_command() {
  return {.name = "health",
          .group = "Node",
          .summary =
              "whether the node can serve, check by check (4 if not); the same as its /readyz, "
              "without HTTP",
          .example = "floe health --db locking.tdb && echo served",
          .options = {{"--db", "DB", "only this database"}},
          .run = run};
}

}  // namespace floe::cli
