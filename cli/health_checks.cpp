#include "cli/health_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/no_such_database.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

using json = nlohmann::json;

std::expected<health_answer, std::string> of_database(const json& report, const std::string& name) {
  std::vector<std::string> attached;
  for (const auto& d : report.value("databases", json::array())) {
    attached.push_back(d.value("name", ""));
    if (attached.back() != name && d.value("id", "") != name) continue;
    const auto trouble = d.value("trouble", "");
    const auto state =
        fmt::format("{}, {} records here", d.value("state", "?"), d.value("records", 0));
    return health_answer{{{attached.back(), trouble.empty(), trouble.empty() ? state : trouble}}};
  }
  return std::unexpected("health: " + no_such_database(name, attached));
}

}  // namespace

bool health_answer::good() const { return std::ranges::all_of(checks, &check::good); }

std::expected<health_answer, std::string> health_in(const std::string& text,
                                                    const std::string& database) {
  const auto report = json::parse(text, nullptr, false);
  if (!report.is_object() || !report.contains("health"))
    return std::unexpected("the node gives no account of its health");
  if (!database.empty()) return of_database(report, database);
  health_answer h;
  for (const auto& k : report["health"].value("checks", json::array()))
    h.checks.push_back({k.value("name", ""), k.value("good", false), k.value("why", "")});
  return h;
}

void print_health(const health_answer& h, bool as_json) {
  if (as_json) {
    auto j = open_json("health");
    j.boolean("ready", h.good());
    j.begin_list("checks");
    for (const auto& k : h.checks) {
      j.begin_object();
      j.text("name", k.name);
      j.boolean("good", k.good);
      j.text("why", k.why);
      j.end();
    }
    j.end();
    return print_json(std::move(j));
  }
  table t({{"CHECK"}, {""}, {"WHAT IS SO"}});
  for (const auto& k : h.checks)
    t.row({k.name, {k.good ? "good" : "NO", k.good ? style::good : style::bad}, k.why});
  print(t.text());
}

}  // namespace floe::cli
