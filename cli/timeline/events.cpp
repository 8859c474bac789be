#include "cli/timeline/events.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace floe::cli {

bool add_events(std::vector<timed_event>& to, std::string_view report) {
  using nlohmann::json;
  const auto j = json::parse(report, nullptr, false);
  if (!j.is_object() || !j.contains("node") || !j["node"].is_number_unsigned()) return false;
  const pnn node{j["node"].get<std::uint32_t>()};
  for (const auto& e : j.value("events", json::array())) {
    const std::string name = e.value("event", "");
    event_line line{.db = e.value("db", ""), .fields = e.value("detail", "")};
    if (const auto id = find_event(name))
      line.id = *id;
    else
      line.fields = name + " " + line.fields;
    to.push_back({e.value("t_us", std::int64_t{0}), node, std::move(line)});
  }
  return true;
}

void sort_events(std::vector<timed_event>& all) {
  std::ranges::stable_sort(all, {}, &timed_event::t_us);
}

void put_event(wire::json_writer& j, const timed_event& e) {
  j.integer("t_us", e.t_us);
  j.number("node", number(e.node));
  j.text("event", name(e.line));
  j.text("db", e.line.db);
  j.text("detail", e.line.fields);
  j.begin_object("fields");
  each_field(e.line, [&](const event_field& f) {
    if (f.is_number)
      j.integer(std::string(f.name).c_str(), std::stoll(std::string(f.value)));
    else
      j.text(std::string(f.name).c_str(), f.value);
  });
  j.end();
}

}  // namespace floe::cli
