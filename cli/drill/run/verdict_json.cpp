#include "cli/drill/run/verdict_json.hpp"

#include <nlohmann/json.hpp>

namespace floe::cli::drill {
namespace {

using nlohmann::json;

json as_json(const verdict& v) {
  json checks = json::array();
  for (const auto& c : v.checks)
    checks.push_back({{"name", c.checker},
                      {"broken", c.broken},
                      {"explained", c.explained},
                      {"causes", c.causes}});
  json unavailable = json::array(), faults = json::array(), steps = json::array();
  for (const auto& s : v.steps)
    steps.push_back({{"t_us", s.t_us},
                     {"what", s.what},
                     {"good", s.good},
                     {"detail", s.detail},
                     {"seconds", s.seconds}});
  for (const auto& u : v.unavailable)
    unavailable.push_back({{"db", u.db},
                           {"longest_us", u.longest_us},
                           {"node", number(u.node)},
                           {"total_us", u.total_us},
                           {"by_fault_us", u.by_fault_us},
                           {"longest_wait_us", u.longest_wait_us}});
  for (const auto& f : v.faults)
    faults.push_back({{"from_us", f.from_us},
                      {"to_us", f.to_us},
                      {"what", f.what},
                      {"longest_wait_us", f.longest_wait_us}});
  json told = json::array();
  for (const auto& t : v.told)
    told.push_back({{"part", t.part}, {"text", t.text}, {"held", t.held}, {"ms", t.ms}});
  return {{"seed", v.seed},
          {"held", v.held},
          {"reason", v.reason},
          {"failed_at", v.failed_at},
          {"checks", checks},
          {"virtual_ms", v.virtual_ms},
          {"real_ms", v.real_ms},
          {"operations", v.operations},
          {"writes", v.writes},
          {"losses", v.losses},
          {"records_kept", v.records_kept},
          {"records_lost", v.records_lost},
          {"longest_wait_ms", v.longest_wait_ms},
          {"longest_wait", v.longest_wait},
          {"longest_pause_ms", v.longest_pause_ms},
          {"longest_pause", v.longest_pause},
          {"unavailable", unavailable},
          {"faults", faults},
          {"steps", steps},
          {"circle", v.circle},
          {"told", told},
          {"timeline", v.timeline},
          {"kept", v.kept},
          {"recorded", v.recorded},
          {"pairs", v.pairs},
          {"last_events", v.last_events}};
}

verdict as_verdict(const json& j) {
  verdict v{.seed = j.at("seed"),
            .held = j.at("held"),
            .reason = j.at("reason"),
            .failed_at = j.at("failed_at"),
            .virtual_ms = j.at("virtual_ms"),
            .real_ms = j.at("real_ms"),
            .operations = j.at("operations"),
            .writes = j.at("writes"),
            .losses = j.at("losses"),
            .records_kept = j.at("records_kept"),
            .records_lost = j.at("records_lost"),
            .longest_wait_ms = j.at("longest_wait_ms"),
            .longest_wait = j.at("longest_wait"),
            .longest_pause_ms = j.at("longest_pause_ms"),
            .longest_pause = j.at("longest_pause")};
  for (const auto& c : j.at("checks"))
    v.checks.push_back({c.at("name"), c.at("broken"), c.at("explained"),
                        c.value("causes", std::map<std::string, std::size_t>{})});
  v.recorded = j.at("recorded");
  v.pairs = j.at("pairs").get<std::vector<std::uint32_t>>();
  v.last_events = j.at("last_events");
  v.kept = j.at("kept");
  v.timeline = j.at("timeline");
  v.circle = j.at("circle").get<std::vector<std::string>>();
  for (const auto& t : j.at("told"))
    v.told.push_back({t.at("part"), t.at("text"), t.at("held"), t.at("ms")});
  for (const auto& u : j.at("unavailable"))
    v.unavailable.push_back({u.at("db"), u.at("longest_us"), pnn{u.at("node").get<std::uint32_t>()},
                             u.at("total_us"), u.at("by_fault_us"), u.at("longest_wait_us")});
  for (const auto& s : j.at("steps"))
    v.steps.push_back({s.at("t_us"), s.at("what"), s.at("good"), s.at("detail"), s.at("seconds")});
  for (const auto& f : j.at("faults"))
    v.faults.push_back({f.at("from_us"), f.at("to_us"), f.at("what"), f.at("longest_wait_us")});
  return v;
}

}  // namespace

std::string verdict_text(const verdict& v) {
  return as_json(v).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<verdict> read_verdict(const std::string& text) {
  const auto j = json::parse(text, nullptr, false);
  if (!j.is_object()) return std::nullopt;
  return as_verdict(j);
}

}  // namespace floe::cli::drill
